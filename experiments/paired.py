"""Scores of several trainings of one thing, one for each seed, on the same photos, and their paired differences."""

import json
import random
from collections import Counter
from math import asin, cos, radians, sin, sqrt
from pathlib import Path

EARTH_RADIUS_KM = 6371.0
SCALES_KM = {"street": 1, "city": 25, "region": 200, "country": 750, "continent": 2500}
RESAMPLES = 1000


def km(a, b):
    half_lat, half_lng = (sin(radians(there - here) / 2) for here, there in zip(a, b))
    h = half_lat**2 + cos(radians(a[0])) * cos(radians(b[0])) * half_lng**2
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(h)))


class Score:
    """A report: whether each photo was located within each scale, and the share in the right cell."""

    def __init__(self, report: Path):
        self.right = json.loads((report / "report.json").read_text())["score"]["cells"][0]
        self.within = {}
        for line in (report / "predictions.jsonl").read_text().splitlines():
            row = json.loads(line)
            if "truth" not in row:
                continue
            truth = row["truth"]["lat"], row["truth"]["lng"]
            best = row.get("predictions")  # none where the photo could not be read
            off = km(truth, (best[0]["lat"], best[0]["lng"])) if best else float("inf")
            self.within[row["photo"]] = [off <= radius for radius in SCALES_KM.values()]


def interval(differences):
    """Mean and 95 % interval of differences by seed and photo, over seeds and photos drawn anew: each photo with its
    differences under all seeds."""
    rng, seeds = random.Random(0), len(differences)
    kinds = Counter(zip(*differences))
    rows, weights, photos = list(kinds), list(kinds.values()), kinds.total()
    drawn = []
    for _ in range(RESAMPLES):
        of = rng.choices(range(seeds), k=seeds)
        counts = Counter(rng.choices(rows, weights, k=photos))
        drawn.append(sum(count * sum(row[seed] for seed in of) for row, count in counts.items()) / (seeds * photos))
    drawn.sort()
    mean = sum(map(sum, differences)) / (seeds * photos)
    return mean, drawn[int(0.025 * RESAMPLES)], drawn[int(0.975 * RESAMPLES)]


def percent(share):
    return f"{100 * share:.1f}"


def points(mean, low, high):
    return f"{100 * mean:+.1f} ({100 * low:.1f} to {100 * high:.1f})"


def print_table(scores, first):
    """Rows of shares, then rows of differences to `first`; `scores` are a list by seed for each name."""
    print("| | " + " | ".join(SCALES_KM) + " | right cell |\n|---|" + "---|" * (len(SCALES_KM) + 1))
    for name, seeds in scores.items():
        shares = [sum(sum(row[scale] for row in it.within.values()) / len(it.within) for it in seeds) / len(seeds)
                  for scale in range(len(SCALES_KM))]
        shares.append(sum(it.right for it in seeds) / len(seeds))
        print(f"| {name} | " + " | ".join(map(percent, shares)) + " |")
    base = scores[first]
    for name, seeds in scores.items():
        if name == first:
            continue
        cells = []
        for scale in range(len(SCALES_KM)):
            differences = [[mine.within[photo][scale] - row[scale] for photo, row in other.within.items()]
                           for mine, other in zip(seeds, base)]
            cells.append(points(*interval(differences)))
        right = [mine.right - other.right for mine, other in zip(seeds, base)]
        cells.append(points(sum(right) / len(right), min(right), max(right)))
        print(f"| {name} − {first} | " + " | ".join(cells) + " |")
