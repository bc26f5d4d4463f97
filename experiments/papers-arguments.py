#!/usr/bin/env python3
"""Tests what the paper argues, on a small synthetic earth of the demo's size (docs/world.md). One table each:

    cells      adaptive cells against uniform ones of the levels 3, 4 and 6
    photos     a quarter of the training photos, and four times as many; all networks see as many in all
    positions  geotags of the training photos that are wrong by a normal error of 0.3 and of 10 km along each axis

All networks are inception-mini at 64 px, trained by the same steps once with each seed. New photos of the same world with
exact positions score them. Printed as Markdown tables: percent of the new photos within each scale and in the right cell, mean
over the seeds; then the difference to the first row in percentage points. Its 95 % interval is by bootstrap over photos
and seeds for the scales; for the right cell it is the least and the greatest difference of the seeds, and has no meaning
where the cells differ.

Needs only Python. Usage: experiments/papers-arguments.py PLANET OUT [--photos 16000] [--validation 2000] [--test 5000]
                          [--epochs 4] [--seeds 2] [--only TABLE ...]
    PLANET  the binary
    OUT     a new folder; photos and scores that are there are used again, a run that is there is resumed
A miniature that shows that everything runs, in a few minutes: --photos 1600 --validation 200 --test 200 --epochs 4 --seeds 2
"""

import csv
import random
from math import cos, radians
from pathlib import Path

from paired import print_table
from small_earth import SmallEarth, argument_parser

KM_PER_DEGREE = 111.195
UNIFORM_LEVELS = (3, 4, 6)
ERRORS_KM = (0.3, 10)


def moved(source: Path, target: Path, error_km: float):
    """Writes the manifest `source` with positions that are wrong by a normal error along each axis."""
    rng = random.Random(0)
    with source.open(newline="") as file, target.open("w", newline="") as out:
        comment = file.readline()  # where the photos are
        if comment.startswith("#"):
            out.write(comment)
        else:
            file.seek(0)
        rows = csv.DictReader(file)
        writer = csv.DictWriter(out, rows.fieldnames, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            lat, lng = float(row["lat"]), float(row["lng"])
            north, east = rng.gauss(0, error_km), rng.gauss(0, error_km)
            row["lat"] = max(-90, min(90, lat + north / KM_PER_DEGREE))
            row["lng"] = (lng + east / KM_PER_DEGREE / max(0.01, cos(radians(lat))) + 180) % 360 - 180
            writer.writerow(row)


class Experiment(SmallEarth):
    def __init__(self, arguments):
        super().__init__(arguments.planet, arguments.out, arguments.photos)
        self.arguments = arguments
        self.draw("validation", arguments.validation, 3)
        self.draw("test", arguments.test, 2)

    def training(self, times=1.0):
        photos = round(times * self.count)
        return self.draw(f"train-{photos}", photos, 1)

    def uniform(self, level):
        cells = self.out / f"level-{level}.csv"
        if not cells.exists():
            self.planet("partition", "uniform", self.training(), "--level", level, "--keep-from", self.keep_from(), "-o", cells)
        return cells

    def wrong_positions(self, error_km):
        """The training photos' manifest with positions that are wrong by so many km, which lies beside the photos."""
        exact = self.training()
        table, wrong = exact.with_name("manifest.csv"), exact.with_name(f"wrong-{error_km}-km.csv")
        if not wrong.exists():
            self.planet("--overwrite", "dataset", "filter", exact, "--no-position", "-o", table)
            moved(table, wrong, error_km)
        return wrong

    def scores(self, name, manifest, cells, times=1.0):
        """Of one network for each seed; they see as many photos as with `--epochs` of `--photos`."""
        epochs = max(1, round(self.arguments.epochs / times))
        names = [(seed, f"{name}-{seed}") for seed in range(self.arguments.seeds)]
        return [self.evaluate(name, self.train(name, manifest, cells, epochs, seed)) for seed, name in names]

    def base(self):
        return self.scores("base", self.training(), self.cells(self.training()))

    def of_cells(self):
        first = "adaptive cells"
        levels = {f"uniform, level {level}": self.scores(f"level-{level}", self.training(), self.uniform(level))
                  for level in UNIFORM_LEVELS}
        print_table({first: self.base()} | levels, first)

    def of_photos(self):
        name = "{:,} photos".format
        cells, count = self.cells(self.training()), self.count
        others = {name(round(times * count)): self.scores(f"photos-{times}", self.training(times), cells, times)
                  for times in (0.25, 4)}
        print_table({name(count): self.base()} | others, name(count))

    def of_positions(self):
        first, others = "exact positions", {}
        for error in ERRORS_KM:
            manifest = self.wrong_positions(error)
            cells = self.cells(manifest, f"cells-wrong-{error}-km")
            others[f"wrong by {error} km"] = self.scores(f"wrong-{error}-km", manifest, cells)
        print_table({first: self.base()} | others, first)


TABLES = {"cells": Experiment.of_cells, "photos": Experiment.of_photos, "positions": Experiment.of_positions}


def main():
    parser = argument_parser(__doc__, validation=2_000, epochs=4, seeds=2, epochs_help="a multiple of 4")
    parser.add_argument("--only", nargs="+", choices=list(TABLES), default=list(TABLES), help="these tables alone")
    arguments = parser.parse_args()
    experiment = Experiment(arguments)
    for name in arguments.only:
        TABLES[name](experiment)
        print(flush=True)


if __name__ == "__main__":
    main()
