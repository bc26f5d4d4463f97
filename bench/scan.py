#!/usr/bin/env python3
"""`planet dataset scan` compared with exiftool on one folder with a warm cache, in one run.

Needs exiftool (Debian: libimage-exiftool-perl).
Usage: bench/scan.py PLANET FOLDER [--rounds 5]
"""

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

TAGS = ["-n", "-csv", "-GPSLatitude", "-GPSLongitude", "-DateTimeOriginal", "-OffsetTimeOriginal",
        "-Model", "-GPSHPositioningError", "-ImageSize"]


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("planet")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    photos = sorted(arguments.folder.rglob("*.jpg"))
    for photo in photos:
        photo.read_bytes()
    with tempfile.TemporaryDirectory() as at:
        scan = [arguments.planet, "dataset", "scan", str(arguments.folder), "-o", f"{at}/m.csv", "--overwrite"]
        own = statistics.median(seconds(scan) for _ in range(arguments.rounds))
        peer = seconds(["exiftool", "-q", "-r", *TAGS, str(arguments.folder)])
    print(f"{len(photos)} photos, {os.cpu_count()} cores, warm cache")
    print("| | s | photos/s |\n|---|---|---|")
    for name, value in (("planet dataset scan", own), ("exiftool, the same tags", peer)):
        print(f"| {name} | {value:.2f} | {len(photos) / value:.0f} |")
    print(f"ratio {peer / own:.0f}")


if __name__ == "__main__":
    main()
