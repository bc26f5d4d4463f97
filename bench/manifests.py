#!/usr/bin/env python3
"""Processor time and peak memory of the steps of docs/train-a-real-model.md that handle a manifest of millions of photos.

The table has random positions, authors and hashes. Training reads one photo again and again for a few seconds: its memory
is that of the lists of photos, of the smallest network, and of its batches. Needs only Python 3.

Usage: bench/manifests.py PLANET FOLDER [--rows 1000000]    (FOLDER is new)
"""

import argparse
import os
import random
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))
import miniature  # noqa: E402

COLUMNS = "IMG_ID,AUTHOR,LAT,LON,S3_Label,S16_Label,S365_Label,Prob_indoor,Prob_natural,Prob_urban"


def positions(rows):
    for at in range(rows):
        lat, lng = random.gauss(45, 8) % 90, random.uniform(-180, 180)
        yield f"{at % 256:02x}/{at // 256 % 256:02x}/{9_000_000_000 + at}.jpg", f"{random.randrange(rows // 30)}@N00", lat, lng


def write(folder, rows):
    random.seed(0)
    with (folder / "table.csv").open("w") as table, (folder / "hashes.csv").open("w") as hashes, \
            (folder / "few.csv").open("w") as few, (folder / "all.csv").open("w") as whole, \
            (folder / "shard_0.msg").open("wb") as shard:
        table.write(f"{COLUMNS}\n")
        hashes.write("photo,lat,lng,author,perceptual_hash\n")
        few.write("photo,lat,lng,author\n")
        whole.write(f"photo,author,lat,lng,{COLUMNS.split(',', 4)[4]}\n")
        for photo, author, lat, lng in positions(rows):
            scene = f"1,5,100,{random.random()},{random.random()},{random.random()}"
            table.write(f"{photo},{author},{lat:.6f},{lng:.6f},{scene}\n")
            hashes.write(f"{photo},{lat:.6f},{lng:.6f},{author},{random.getrandbits(256):064x}\n")
            few.write(f"p.jpg,{lat:.6f},{lng:.6f},{author}\n")
            whole.write(f"p.jpg,{author},{lat:.6f},{lng:.6f},{scene}\n")
            shard.write(miniature.packed({"image": b"p", "id": photo}))
    with (folder / "hashes.csv").open() as hashes, (folder / "test.csv").open("w") as test:
        test.writelines(line for line, _ in zip(hashes, range(3001)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("planet", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    arguments = parser.parse_args()
    folder = arguments.folder
    folder.mkdir(parents=True)
    planet = arguments.planet.resolve()
    write(folder, arguments.rows)
    subprocess.run([planet, "world", "draw", "--photos", "1", "-o", "drawn"], cwd=folder, check=True, capture_output=True)
    [photo] = (folder / "drawn").glob("*/*.jpg")
    photo.rename(folder / "p.jpg")
    train = ["--partition", "cells.csv", "--architecture", "inception-mini", "--size", "64", "--minutes", "0.1"]
    steps = [
        "dataset import --format table table.csv -o table.parquet",
        "dataset import --format msgpack shard_0.msg --positions table.csv -o shards.parquet",
        "dataset split table.parquet --by author --validation 0.02 -o split.parquet",
        "partition build split.parquet:train --split-above 1000 --keep-more-than 50 -o cells.csv",
        "dataset duplicates hashes.csv -o copies.csv",
        "dataset duplicates test.csv hashes.csv -o leaks.csv",
        f"train --dataset few.csv {' '.join(train)} -o few",
        f"train --dataset all.csv {' '.join(train)} -o all",
    ]
    print(f"| {arguments.rows} photos | s of processor time | peak MB |\n|---|---|---|")
    for step in steps:
        process = subprocess.Popen([planet, *step.split()], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            sys.exit(f"failed: planet {step}")
        print(f"| {step} | {usage.ru_utime + usage.ru_stime:.1f} | {usage.ru_maxrss / 1024:.0f} |", flush=True)


if __name__ == "__main__":
    main()
