#!/usr/bin/env python3
"""Positions to leaf ids, and leaf ids to the classes of a partition: PlaNet beside Python's
s2sphere and s2cell and the C++ S2 library, on the same positions, in one run, one thread each.

Needs: pip install s2sphere s2cell numpy pyarrow; apt install g++ libs2-dev; cargo.

    bench/s2.py GEOTAGS.parquet PARTITION.csv

Every peer must give the same ids and classes, which is checked before anything is printed.
"""

import bisect
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy
import pyarrow.parquet
import s2cell
import s2sphere

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent


def python_peer(convert, positions, ranges):
    """Seconds and results of a Python library over some positions."""
    start = time.perf_counter()
    ids = [convert(lat, lng) for lat, lng in positions]
    converted = time.perf_counter()
    firsts = [first for first, _, _ in ranges]
    classes = []
    for leaf in ids:
        row = bisect.bisect_right(firsts, leaf) - 1
        classes.append(ranges[row][2] if row >= 0 and leaf <= ranges[row][1] else -1)
    looked_up = time.perf_counter()
    return converted - start, looked_up - converted, ids, classes


def native_peer(command, count):
    """The same for a program that prints `seconds seconds checksum checksum`."""
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    return float(out[0]), float(out[1]), int(out[2]), int(out[3])


def checksum(values):
    """Order counts: a polynomial of the values modulo 2^64."""
    total = 0
    for value in values:
        total = (total * 31 + value + 1) % 2**64
    return total


def ranges_of(path):
    """First leaf, last leaf and class of every cell of a partition, sorted."""
    rows = [line for line in path.read_text().splitlines() if not line.startswith("#")][1:]
    ranges = []
    for number, row in enumerate(rows):
        for token in row.split(",")[0].split():
            cell = s2sphere.CellId.from_token(token)
            ranges.append((cell.range_min().id(), cell.range_max().id(), number))
    return sorted(ranges)


def main():
    table = pyarrow.parquet.read_table(sys.argv[1], columns=["lat", "lng"]).drop_null()
    positions = numpy.stack([table["lat"].to_numpy(), table["lng"].to_numpy()], axis=1)
    positions = positions[numpy.random.default_rng(0).permutation(len(positions))]
    ranges = ranges_of(Path(sys.argv[2]))
    few = positions[:50_000].tolist()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        subprocess.run(
            ["g++", "-O3", "-march=native", "-std=c++17", HERE / "s2.cc", "-o", folder / "cpp", "-ls2"],
            check=True,
        )
        subprocess.run(
            ["cargo", "build", "--release", "--example", "s2_peer", "-p", "planet-geo"], cwd=ROOT, check=True
        )
        ours = ROOT / "target/release/examples/s2_peer"
        numpy.array(ranges, dtype=numpy.uint64).tofile(folder / "ranges")
        positions.tofile(folder / "all")
        positions[:50_000].tofile(folder / "few")
        results = {}
        for name, program in [("planet-geo", ours), ("C++ S2", folder / "cpp")]:
            small = native_peer([program, folder / "few", folder / "ranges"], len(few))
            large = native_peer([program, folder / "all", folder / "ranges"], len(positions))
            results[name] = (len(positions), *large[:2], small[2:])
    for name, convert in [
        ("s2cell", s2cell.lat_lon_to_cell_id),
        ("s2sphere", lambda lat, lng: s2sphere.CellId.from_lat_lng(s2sphere.LatLng.from_degrees(lat, lng)).id()),
    ]:
        converting, looking, ids, classes = python_peer(convert, few, ranges)
        results[name] = (len(few), converting, looking, (checksum(ids), checksum(classes)))
    sums = {sums for *_, sums in results.values()}
    if len(sums) != 1:
        sys.exit(f"the peers disagree: {results}")
    print(f"{len(ranges)} cells; all agree on {len(few)} positions")
    print(f"{'':<12}{'leaf ids a second':>20}{'look-ups a second':>20}")
    for name, (count, converting, looking, _) in results.items():
        print(f"{name:<12}{count / converting / 1e6:>18.2f} M{count / looking / 1e6:>18.2f} M")


if __name__ == "__main__":
    main()
