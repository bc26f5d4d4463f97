"""Rows of a benchmark that take turns: what other programs do meanwhile then slows all of them alike."""

import math
import statistics


def in_turns(rows, rounds, measure):
    """Measures each of `rows`, pairs of a name and what `measure` takes, `rounds` times. By name, a list of what
    `measure` returned, or the text of the RuntimeError that it raised; such a row is not measured again."""
    found = {name: [] for name, _ in rows}
    for _ in range(rounds):
        for name, row in rows:
            if isinstance(found[name], str):
                continue
            try:
                found[name].append(measure(row))
            except RuntimeError as error:
                found[name] = str(error)
    return found


def chosen(rows, only):
    """The rows whose name holds one of the texts of `only`, which commas separate."""
    return [row for row in rows if any(text in row[0] for text in only.split(","))]


def spread(values, digits):
    """The median, and the range where there is more than one value."""
    if any(map(math.isnan, values)):
        return "–"
    text = f"{statistics.median(values):.{digits}f}"
    return text if len(values) == 1 else f"{text} ({min(values):.{digits}f}–{max(values):.{digits}f})"
