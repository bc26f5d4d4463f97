#!/usr/bin/env python3
"""Writes positions into photos with planet and with exiftool alone, in one run.

    bench/write-photos.py FOLDER [--photos 400] [--rounds 3] [--planet target/release/planet]

FOLDER holds JPEGs; only copies are written, from which exiftool removes the position first. exiftool alone is one process that is given one
command after the other with the same tags, and checks nothing. planet keeps the old bytes, compares image data
and all other tags, and can undo; it starts one exiftool for each processor. Prints photos per second of each
round and the ratio of the medians. Standard library only.
"""

import argparse
import json
import pathlib
import random
import shutil
import statistics
import subprocess
import tempfile
import time


def copies(photos, folder):
    folder.mkdir()
    for i, photo in enumerate(photos):
        shutil.copy(photo, folder / f"{i:05}.jpg")
    return [f"{i:05}.jpg" for i in range(len(photos))]


def check(photos, folder):
    """Each photo was written."""
    for i, photo in enumerate(photos):
        if (folder / f"{i:05}.jpg").read_bytes() == photo.read_bytes():
            raise SystemExit(f"{photo} was not written")


def with_planet(planet, photos, positions, at):
    names = copies(photos, at / "library")
    with open(at / "found.jsonl", "w") as found:
        for name, (lat, lng) in zip(names, positions):
            place = {"lat": lat, "lng": lng, "probability": 0.95, "radius_km": 1.0}
            certain = place | {"level": "street", "name": ""}
            print(json.dumps({"photo": name, "predictions": [place], "certain": certain}), file=found)
    command = [planet, "library", "write", "found.jsonl", "--root", "library", "--into", "photos", "--apply"]
    begun = time.perf_counter()
    subprocess.run(command, cwd=at, check=True, capture_output=True)
    seconds = time.perf_counter() - begun
    check(photos, at / "library")
    return seconds


def with_exiftool(photos, positions, at):
    names = copies(photos, at / "alone")
    with open(at / "arguments", "w") as arguments:
        for name, (lat, lng) in zip(names, positions):
            tags = {
                "GPSVersionID": "2.3.0.0",
                "GPSLatitude": f"{abs(lat):.9f}",
                "GPSLatitudeRef": "N" if lat >= 0 else "S",
                "GPSLongitude": f"{abs(lng):.9f}",
                "GPSLongitudeRef": "E" if lng >= 0 else "W",
                "GPSMapDatum": "WGS-84",
                "GPSProcessingMethod": "PlaNet estimate (street, 95 %)",
                "GPSHPositioningError": "1000",
            }
            lines = ["-overwrite_original", "-P", *(f"-EXIF:{tag}={value}" for tag, value in tags.items())]
            print(*lines, at / "alone" / name, "-execute", sep="\n", file=arguments)
    begun = time.perf_counter()
    subprocess.run(["exiftool", "-@", at / "arguments"], check=True, capture_output=True)
    seconds = time.perf_counter() - begun
    check(photos, at / "alone")
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--photos", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--planet", type=pathlib.Path, default=pathlib.Path("target/release/planet"))
    options = parser.parse_args()
    photos = sorted(options.folder.rglob("*.jpg"))[: options.photos]
    draw = random.Random(1)
    positions = [(draw.uniform(-80, 80), draw.uniform(-180, 180)) for _ in photos]
    speeds = {"planet": [], "exiftool": []}
    sources = tempfile.TemporaryDirectory()
    source = pathlib.Path(sources.name) / "photos"
    photos = [source / name for name in copies(photos, source)]
    subprocess.run(["exiftool", "-q", "-P", "-overwrite_original", "-gps:all=", source], check=True)
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory() as folder:
            at = pathlib.Path(folder)
            speeds["planet"].append(len(photos) / with_planet(options.planet.resolve(), photos, positions, at))
            speeds["exiftool"].append(len(photos) / with_exiftool(photos, positions, at))
    for name, all_rounds in speeds.items():
        print(f"{name:10} photos/s", *(f"{speed:7.1f}" for speed in all_rounds))
    medians = [statistics.median(all_rounds) for all_rounds in speeds.values()]
    print(f"ratio of the medians {medians[0] / medians[1]:.2f}")


if __name__ == "__main__":
    main()
