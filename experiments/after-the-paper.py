#!/usr/bin/env python3
"""What the options that came after the paper change, on a small synthetic earth of the demo's size (docs/world.md):

    haversine, haversine-nearest, haversine-normalised   planet train --smoothing KIND
    hierarchy                                             planet train --hierarchy WEIGHT
    views flip, views crops                               planet evaluate --views VIEWS, of the networks of `base`

All networks (inception-mini, 64 px, about 128 cells) are trained on the same photos, once with each seed; photos of
their own choose the checkpoint and the temperature, and new photos of the same world score them. Printed as a Markdown
table: percent of the new photos within each scale and in the right cell, mean over the seeds; then the difference to
`base` in percentage points. Its 95 % interval is by bootstrap over photos and seeds for the scales; for the right cell
it is the least and the greatest difference of the seeds.

Needs only Python. Usage: experiments/after-the-paper.py PLANET OUT [--photos 16000] [--validation 8000] [--test 5000]
                          [--epochs 8] [--seeds 3] [--tau-km 75] [--hierarchy 1] [--only NAME ...]
    PLANET  the binary
    OUT     a new folder; photos and scores that are there are used again, a run that is there is resumed
A miniature that shows that everything runs, in a few minutes: --photos 800 --validation 200 --test 200 --epochs 1 --seeds 2
"""

import argparse
import json
import random
import subprocess
from collections import Counter
from math import asin, cos, radians, sin, sqrt
from pathlib import Path

EARTH_RADIUS_KM = 6371.0
SCALES_KM = {"street": 1, "city": 25, "region": 200, "country": 750, "continent": 2500}
RESAMPLES = 1000
TRAINED = {
    "base": [],
    "haversine": ["--smoothing", "haversine"],
    "haversine-nearest": ["--smoothing", "haversine-nearest"],
    "haversine-normalised": ["--smoothing", "haversine-normalised"],
    "hierarchy": ["--hierarchy"],  # and the weight
}
VIEWED = {"views flip": ["--views", "flip"], "views crops": ["--views", "crops"]}
# The demo's, with a falling learning rate, so that the last epochs of all runs are comparable. Validation photos choose
# the checkpoint by the right cell.
CONFIG = """
architecture = "inception-mini"
size = 64
batch = 32
patience = 0
auxiliary_weight = 0.0
[learning_rate]
start = 0.1
schedule = "cosine"
[optimizer]
rule = { adagrad = { initial = 0.1, eps = 1e-10 } }
average = 0.999
"""


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


def print_table(scores):
    """Rows of shares, then rows of differences to `base`; `scores` are a list by seed for each name."""
    print("| | " + " | ".join(SCALES_KM) + " | right cell |\n|---|" + "---|" * (len(SCALES_KM) + 1))
    for name, seeds in scores.items():
        shares = [sum(sum(row[scale] for row in it.within.values()) / len(it.within) for it in seeds) / len(seeds)
                  for scale in range(len(SCALES_KM))]
        shares.append(sum(it.right for it in seeds) / len(seeds))
        print(f"| {name} | " + " | ".join(map(percent, shares)) + " |")
    base = scores["base"]
    for name, seeds in scores.items():
        if name == "base":
            continue
        cells = []
        for scale in range(len(SCALES_KM)):
            differences = [[mine.within[photo][scale] - row[scale] for photo, row in other.within.items()]
                           for mine, other in zip(seeds, base)]
            cells.append(points(*interval(differences)))
        right = [mine.right - other.right for mine, other in zip(seeds, base)]
        cells.append(points(sum(right) / len(right), min(right), max(right)))
        print(f"| {name} − base | " + " | ".join(cells) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("planet")
    parser.add_argument("out", type=Path)
    parser.add_argument("--photos", type=int, default=16_000, help="training photos")
    parser.add_argument("--validation", type=int, default=8_000)
    parser.add_argument("--test", type=int, default=5_000)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tau-km", type=float, default=75.0, help="of the haversine options")
    parser.add_argument("--hierarchy", type=float, default=1.0, help="weight of the ancestors' loss")
    parser.add_argument("--only", nargs="+", choices=[*list(TRAINED)[1:], *VIEWED], help="these options alone")
    arguments = parser.parse_args()
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)

    def planet(*words):
        subprocess.run([arguments.planet, *map(str, words)], check=True, stdout=subprocess.DEVNULL)

    def sets():
        yield "train", arguments.photos, 1
        yield "validation", arguments.validation, 3
        yield "test", arguments.test, 2

    for name, photos, seed in sets():
        if not (out / name / "manifest.parquet").exists():
            planet("--overwrite", "world", "draw", "--photos", photos, "--size", 64, "--seed", seed, "-o", out / name)
    if not (out / "cells.csv").exists():
        # The demo's cells, in proportion to the photos.
        split, keep = (max(2, round(share * arguments.photos)) for share in (300 / 16_000, 20 / 16_000))
        planet("partition", "build", out / "train/manifest.parquet", "--split-above", split, "--keep-from", keep,
               "-o", out / "cells.csv")

    def train(name, seed):
        run, model = out / f"{name}-{seed}", out / f"{name}-{seed}-model"
        flags = TRAINED[name] + ([arguments.hierarchy] if name == "hierarchy" else [])
        config = out / f"{name}.toml"
        smoothing = f'[smoothing]\nkind = "{name}"\ntau_km = {arguments.tau_km}\n' if "haversine" in name else ""
        config.write_text(CONFIG + smoothing)
        if not model.exists():
            if run.exists():
                planet("train", "--resume", run)
            else:
                planet("train", "--config", config, "--dataset", out / "train/manifest.parquet",
                       "--validation", out / "validation/manifest.parquet", "--partition", out / "cells.csv",
                       "--epochs", arguments.epochs, "--seed", seed, *flags, "-o", run)
            planet("export", run, "-o", model)
        return model

    def evaluate(name, seed, model, flags):
        report = out / f"{name.replace(' ', '-')}-{seed}-report"
        if not (report / "report.json").exists():
            planet("--overwrite", "evaluate", "--model", model, "--dataset", out / "test/manifest.parquet", "--no-photos",
                   *flags, "-o", report)
        return Score(report)

    wanted = ["base", *(arguments.only or [*list(TRAINED)[1:], *VIEWED])]
    scores = {}
    for name in wanted:
        own = "base" if name in VIEWED else name
        seeds = range(arguments.seeds)
        scores[name] = [evaluate(name, seed, train(own, seed), VIEWED.get(name, [])) for seed in seeds]
    print_table(scores)


if __name__ == "__main__":
    main()
