#!/usr/bin/env python3
"""How much the network and the resolution matter on a small synthetic earth of the demo's size (docs/world.md). One table
each:

    networks     inception-mini, mobilenet-v3-large and inception-bn at 64 px
    resolutions  inception-mini at 32, 64, 96 and 128 px, of photos that are drawn at 128 px

All are trained on the same photos by the same steps. Photos of their own choose the checkpoint and the temperature, and
new photos of the same world score them. Printed as Markdown tables: millions of parameters, millions of multiply-adds a photo,
percent of the new photos within each scale and in the right cell, and the divergence in nats from the exact posterior;
then the ideal classifier and the upper bound.

Needs only Python. Usage: experiments/learning-curves.py PLANET OUT [--photos 16000] [--validation 2000] [--test 5000]
                          [--epochs 4] [--seeds 1] [--only TABLE ...]
    PLANET  the binary
    OUT     a new folder; photos and scores that are there are used again, a run that is there is resumed
A miniature that shows that everything runs, in a few minutes: --photos 1600 --validation 200 --test 200 --epochs 1
"""

import json
import re
import statistics
import subprocess

from paired import SCALES_KM, percent
from small_earth import SmallEarth, argument_parser, classes

NETWORKS = ("inception-mini", "mobilenet-v3-large", "inception-bn")
SIDES = (32, 64, 96, 128)
DRAWN = 128  # px, for the resolutions


class Row:
    """What one network of each seed comes to."""

    def __init__(self, reports):
        reports = [json.loads((report / "report.json").read_text()) for report in reports]
        scores = [report["score"] for report in reports]
        shares = zip(*([*score["within"][0], score["cells"][0]] for score in scores))
        self.shares = [percent(statistics.fmean(of)) for of in shares]
        divergences = [report["log_loss"]["mean"] - report["ideal_log_loss"] for report in reports]
        self.divergence = f"{statistics.fmean(divergences):.2f}"
        of_ideal = {it["name"]: it["within"] for it in reports[0]["references"]}
        right = dict(reports[0]["cell_references"])["right cell first, ideal classifier, %"]
        self.ideal = [percent(share) for share in [*of_ideal["ideal classifier"], right]]
        self.bound = [percent(share) for share in of_ideal["upper bound"]]


class Experiment(SmallEarth):
    def __init__(self, arguments, name, side):
        super().__init__(arguments.planet, arguments.out / name, arguments.photos)
        self.arguments = arguments
        self.training = self.draw("train", arguments.photos, 1, side)
        self.draw("validation", arguments.validation, 3, side)
        self.draw("test", arguments.test, 2, side)

    def row(self, architecture, side):
        """Cells of a table's row, and the references of its photos."""
        flags = ["--architecture", architecture, "--size", side]
        cells, reports = self.cells(self.training), []
        for seed in range(self.arguments.seeds):
            name = f"{architecture}-{side}-{seed}"
            model = self.train(name, self.training, cells, self.arguments.epochs, seed, flags)
            self.evaluate(name, model)
            reports.append(self.out / f"{name}-report")
        row = Row(reports)
        return [*self.costs(architecture, side, cells), *row.shares, row.divergence], row

    def costs(self, architecture, side, cells):
        """Millions of parameters, and of multiply-adds for a photo."""
        words = ["model", "show", architecture, "--size", side, "--classes", classes(cells)]
        shown = subprocess.run([self.binary, *map(str, words)], check=True, capture_output=True, text=True).stdout
        numbers = (re.search(rf"^{name} +([\d,]+)", shown, re.MULTILINE)[1] for name in ("parameters", "multiply-adds"))
        return [f"{int(number.replace(',', '')) / 1e6:.1f}" for number in numbers]


def print_rows(rows):
    columns = ["", "million parameters", "million multiply-adds", *SCALES_KM, "right cell", "divergence, nats"]
    print("| " + " | ".join(columns) + " |\n" + "|---" * len(columns) + "|")
    for name, (cells, last) in rows.items():
        print(f"| {name} | " + " | ".join(cells) + " |")
    print("| ideal classifier | | | " + " | ".join(last.ideal) + " | 0 |")
    print("| upper bound | | | " + " | ".join(last.bound) + " | | |")


def of_networks(arguments):
    earth = Experiment(arguments, "64-px", 64)
    print_rows({name: earth.row(name, 64) for name in NETWORKS})


def of_resolutions(arguments):
    earth = Experiment(arguments, f"{DRAWN}-px", DRAWN)
    print_rows({f"{side} px": earth.row("inception-mini", side) for side in SIDES})


TABLES = {"networks": of_networks, "resolutions": of_resolutions}


def main():
    parser = argument_parser(__doc__, validation=2_000, epochs=4, seeds=1)
    parser.add_argument("--only", nargs="+", choices=list(TABLES), default=list(TABLES), help="these tables alone")
    arguments = parser.parse_args()
    for name in arguments.only:
        TABLES[name](arguments)
        print(flush=True)


if __name__ == "__main__":
    main()
