#!/usr/bin/env python3
"""Says what the triplet loss changes for retrieval, on synthetic scenes: mean average precision by the protocol
of INRIA Holidays, after training by cross entropy, by triplets and by both.

All networks (inception-mini, 64 px) are trained on the same 8,000 photos of 2,500 scenes and shown the same number
of photos; the positive of a photo is another photo of its scene. They are tested on 1,491 photos of 500 other
scenes of the same world. Differences are paired, with 95 % intervals by bootstrap over the queries.

Needs only Python. Usage: experiments/triplets.py PLANET OUT [--shown 128000] [--seeds 2] [--name NAME] [-- OPTIONS]
    PLANET   the binary
    OUT      a new folder; a run that is there is resumed, a score that is there is kept
    OPTIONS  of planet train for the networks with triplets, for example
             -- --learning-rate 0.01 --init OUT/cross-entropy-0/checkpoints/best/checkpoint.safetensors
    --name   of these networks, which their files then begin with
Expected on 2 idle cores: six minutes for each run, and the first table of docs/retrieval.md, "Training embeddings".
"""

import argparse
import json
import random
import subprocess
import sys
from pathlib import Path

LOSSES = ["cross-entropy", "triplet", "cross-entropy+triplet"]
RECIPES = {"embedding": ["--pooling", "embedding"], "gem": ["--pooling", "gem"]}
SCENES, PHOTOS = 2500, 8000
RESAMPLES = 2000
CONFIG = """
architecture = "inception-mini"
size = 64
batch = 64
patience = 0
[learning_rate]
start = 0.1
schedule = "cosine"
[optimizer]
rule = { adagrad = { initial = 0.1, eps = 1e-10 } }
average = 0.999
[augment]
crop = 0.5
jitter = 0.3
[triplets]
positives_within_km = 1.0
"""


def interval(values):
    """Mean and 95 % interval in percent, over values drawn anew."""
    rng, count = random.Random(0), len(values)
    means = sorted(sum(rng.choices(values, k=count)) / count for _ in range(RESAMPLES))
    low, high = means[int(0.025 * RESAMPLES)], means[int(0.975 * RESAMPLES)]
    return f"{100 * sum(values) / count:5.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("planet")
    parser.add_argument("out", type=Path)
    parser.add_argument("--shown", type=int, default=128_000, help="photos that each network is shown")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--name", default="")
    # Everything behind -- is for planet train.
    words = sys.argv[1:]
    end = words.index("--") if "--" in words else len(words)
    arguments, options = parser.parse_args(words[:end]), words[end + 1:]
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)

    def planet(*words):
        return subprocess.run([arguments.planet, *map(str, words)], check=True, stdout=subprocess.PIPE).stdout

    if not (out / "test").exists():
        planet("world", "scenes", "--scenes", SCENES, "--photos", PHOTOS, "--size", 96, "--seed", 1, "-o", out / "train")
        planet("world", "scenes", "--scenes", 200, "--photos", 600, "--size", 96, "--seed", 2, "-o", out / "validation")
        planet("partition", "build", out / "train/manifest.parquet", "--split-above", 100, "--keep-from", 10,
               "-o", out / "cells.csv")
        planet("world", "scenes", "--size", 96, "-o", out / "test")
    (out / "config.toml").write_text(CONFIG)

    precision = {}
    for seed in range(arguments.seeds):
        for loss in LOSSES:
            # A step of triplets takes each photo together with another one of its scene.
            epochs = arguments.shown // PHOTOS // (1 if loss == "cross-entropy" else 2)
            own = [] if loss == "cross-entropy" else options
            name = f"{arguments.name}-{loss}-{seed}" if own else f"{loss}-{seed}"
            run, model = out / name, out / f"{name}-features"
            if not model.exists():
                if run.exists():
                    planet("train", "--resume", run)
                else:
                    planet("train", "--config", out / "config.toml", "--dataset", out / "train/manifest.parquet",
                           "--validation", out / "validation/manifest.parquet", "--partition", out / "cells.csv",
                           "--loss", loss, "--epochs", epochs, "--seed", seed, *own, "-o", run)
                planet("export", "--features-only", run, "-o", model)
            for pooling, recipe in RECIPES.items():
                score = out / f"{name}-{pooling}.json"
                if not score.exists():
                    score.write_bytes(planet("retrieve", "evaluate", "--dataset", out / "test/manifest.parquet",
                                             "--model", model, "--json", *recipe))
                of_queries = json.loads(score.read_text())["average_precision"]
                precision[loss, seed, pooling] = [query["ap"] for query in of_queries]

    def mean(loss, name):
        """Average precision of each query, over the seeds."""
        runs = [precision[loss, seed, name] for seed in range(arguments.seeds)]
        return [sum(values) / len(values) for values in zip(*runs)]

    for name in RECIPES:
        base = mean(LOSSES[0], name)
        for loss in LOSSES:
            own = mean(loss, name)
            seeds = " ".join(f"{100 * sum(precision[loss, seed, name]) / len(base):.1f}" for seed in range(arguments.seeds))
            gain = interval([mine - other for mine, other in zip(own, base)])
            print(f"{name:10} {loss:22} {interval(own)}  minus {LOSSES[0]} {gain}  seeds {seeds}")


if __name__ == "__main__":
    main()
