#!/usr/bin/env python3
"""Trains a network on a small folder of real photos and evaluates it twice: on held-out groups
of known places, and on places that were never seen.

Needs only Python. Usage: experiments/real-photos.py PLANET FOLDER OUT [--epochs 20] [-- OPTIONS]
    PLANET   the binary
    FOLDER   photos with positions in their headers, one subfolder per collection
    OUT      a folder for manifests, runs, models and reports; manifests that are there are kept
    OPTIONS  of planet train in the place of inception-mini's, for example
             -- --architecture efficientnet-lite0 --size 128 --init target/backbone/efficientnet-lite0.safetensors
    --name   of the network, which its runs, models and reports begin with

A group is a day; for a photo without a time it is all photos at the same position. Neighbouring
photos of an album are metres apart and must be in the same part of the split. Expected on 1,680 photos and 2 cores: a
few minutes, and the figures of docs/real-photos.md.
"""

import argparse
import csv
import subprocess
import sys
from pathlib import Path

SHARES = ["--validation", "0.1", "--test", "0.2"]
CELLS = ["--split-above", "100", "--keep-from", "5"]
# One city holds half of the photos of docs/real-photos.md: the first seed that leaves it in the training set.
PLACES_SEED = 1
NETWORK = ["--architecture", "inception-mini", "--size", "96"]


def grouped(scanned: Path, to: Path) -> None:
    """The same manifest with each photo's group as its album and its folder as its category."""
    with scanned.open(newline="", encoding="utf-8") as file:
        lines = file.readlines()
    head = [line for line in lines if line.startswith("#")]
    rows = list(csv.DictReader(lines[len(head):]))
    for row in rows:
        row["album"] = row["time"][:10] or f"{row['lat']} {row['lng']}"
        row["category"] = row["photo"].split("/")[0]
    with to.open("w", newline="", encoding="utf-8") as file:
        file.writelines(head)
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("planet")
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--epochs", default="20")
    parser.add_argument("--name", default="mini")
    # Everything behind -- is for planet train.
    words = sys.argv[1:]
    end = words.index("--") if "--" in words else len(words)
    arguments, network = parser.parse_args(words[:end]), words[end + 1:] or NETWORK
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)

    def planet(*words: object) -> None:
        subprocess.run([arguments.planet, *map(str, words)], check=True)

    if not (out / "grouped.csv").exists():
        planet("dataset", "scan", arguments.folder, "-o", out / "scanned.csv")
        planet("dataset", "enrich", out / "scanned.csv", "--hash", "-o", out / "hashed.csv")
        grouped(out / "hashed.csv", out / "grouped.csv")
    for name, by, seed in (("groups", "album", 0), ("places", "place", PLACES_SEED)):
        manifest, cells = out / f"{name}.csv", out / f"{name}-cells.csv"
        run, model, report = (out / f"{arguments.name}-{name}-{part}" for part in ("run", "model", "report"))
        if not cells.exists():
            planet("dataset", "split", out / "grouped.csv", "--by", by, "--seed", seed, *SHARES, "-o", manifest)
            planet("partition", "build", f"{manifest}:train", *CELLS, "-o", cells)
        planet("train", "--dataset", f"{manifest}:train", "--validation", f"{manifest}:validation",
               "--partition", cells, "--batch", "32", "--patience", "0", *network,
               "--epochs", arguments.epochs, "-o", run)
        planet("export", run, "-o", model)
        planet("evaluate", "--model", model, "--dataset", f"{manifest}:test", "--train",
               f"{manifest}:train", "--engine", "rten", "--no-photos", "-o", report)


if __name__ == "__main__":
    main()
