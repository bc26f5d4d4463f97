#!/usr/bin/env python3
"""Locates photos by the most similar photo of known position, and counts how often that is right.

A random half of the photos keeps its positions and becomes an index; the other half is searched for.
The answer to a photo is the position of the first photo found. Printed is the share of answers within
a radius, over several random halves, with a 95 % interval by bootstrap over the places; and, for
comparison, the share if the answer were a random known photo, and if it were the best known photo.

Needs only Python. Usage: experiments/retrieval.py PLANET MODEL FOLDER OUT [--km 25] [--halves 3] [-- RECIPE]
    PLANET  the binary
    MODEL   a package: planet export --features-only --init … --architecture efficientnet-lite0 --size 384
    FOLDER  photos with truth.csv (photo,lat,lng)
    OUT     a new folder
    RECIPE  options of planet retrieve index, for example -- --whiten 128
Expected with 526 photos, 384 px and 2 cores: half a minute for each half.
"""

import argparse
import csv
import json
import math
import random
import subprocess
import sys
from pathlib import Path

RESAMPLES = 2000


def km(a, b):
    """Great-circle distance of two rows."""
    (lat1, lng1), (lat2, lng2) = ([math.radians(float(row[key])) for key in ("lat", "lng")] for row in (a, b))
    half = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lng2 - lng1) / 2) ** 2
    return 2 * 6371.0088 * math.asin(math.sqrt(half))


def manifest(rows, root, path):
    with path.open("w", newline="", encoding="utf-8") as file:
        file.write(f"# root={root}\n")
        table = csv.writer(file)
        table.writerow(["photo", "lat", "lng"])
        table.writerows([row["photo"], row["lat"], row["lng"]] for row in rows)


def interval(right_by_place):
    """Of the share, over places drawn anew."""
    places, rng = list(right_by_place.values()), random.Random(0)
    shares = []
    for _ in range(RESAMPLES):
        drawn = [right for _ in places for right in rng.choice(places)]
        shares.append(sum(drawn) / len(drawn))
    shares.sort()
    return shares[int(0.025 * RESAMPLES)], shares[int(0.975 * RESAMPLES)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("planet")
    parser.add_argument("model")
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--km", type=float, default=25)
    parser.add_argument("--halves", type=int, default=3)
    # Everything behind -- is for planet.
    words = sys.argv[1:]
    end = words.index("--") if "--" in words else len(words)
    arguments, recipe = parser.parse_args(words[:end]), words[end + 1:]
    arguments.out.mkdir(parents=True)
    with (arguments.folder / "truth.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["lat"]]
    by_id = {row["photo"]: row for row in rows}
    root = arguments.folder.resolve()

    right_by_place, chance, best = {}, [], []
    for seed in range(arguments.halves):
        shuffled = random.Random(seed).sample(rows, len(rows))
        known, hidden = shuffled[: len(rows) // 2], shuffled[len(rows) // 2:]
        parts = {"known": known, "hidden": hidden}
        paths = {name: arguments.out / f"{name}-{seed}.csv" for name in parts}
        for name, part in parts.items():
            manifest(part, root, paths[name])
        index, found = arguments.out / f"{seed}.index", arguments.out / f"{seed}.jsonl"

        def planet(*words):
            subprocess.run([arguments.planet, "retrieve", *map(str, words)], check=True, stdout=subprocess.DEVNULL)

        planet("index", paths["known"], "--model", arguments.model, "-o", index, *recipe)
        planet("search", index, paths["hidden"], "--model", arguments.model, "--top", 1, "-o", found)
        for line in found.read_text(encoding="utf-8").splitlines():
            result = json.loads(line)
            row, hits = by_id[result["photo"]], result.get("found", [])
            right = bool(hits) and hits[0]["km"] <= arguments.km
            right_by_place.setdefault((row["lat"], row["lng"]), []).append(right)
            distances = [km(row, other) for other in known]
            chance.append(sum(distance <= arguments.km for distance in distances) / len(distances))
            best.append(min(distances) <= arguments.km)
    all_right = [right for place in right_by_place.values() for right in place]
    low, high = interval(right_by_place)
    share = lambda values: 100 * sum(values) / len(values)
    print(f"within {arguments.km:g} km, {len(all_right)} photos in {arguments.halves} halves")
    print(f"most similar known photo  {share(all_right):5.1f} %  ({100 * low:.1f} to {100 * high:.1f})")
    print(f"a random known photo      {share(chance):5.1f} %")
    print(f"the best known photo      {share(best):5.1f} %")


if __name__ == "__main__":
    main()
