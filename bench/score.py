#!/usr/bin/env python3
"""Scores N predictions with `planet score` and with pandas + numpy, in one run.

Both read the same two CSV files, join them by photo and count within the five scales; ours adds
intervals, quartiles and curves. Time and greatest resident size of each.

Needs: pip install numpy pandas, and target/release/planet.
Usage: python3 bench/score.py [--photos 10000000] [--folder DIR]
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PANDAS = """
import sys, numpy as np, pandas as pd
truth = pd.read_csv(sys.argv[1]); found = pd.read_csv(sys.argv[2])
both = truth.merge(found, left_on="photo", right_on="img_id", how="left")
a, b = np.radians(both.lat), np.radians(both.pred_lat)
c = np.radians(both.pred_lng - both.lng)
h = np.sin((b - a) / 2) ** 2 + np.cos(a) * np.cos(b) * np.sin(c / 2) ** 2
error = 2 * 6371 * np.arcsin(np.sqrt(h))
print([float((error <= scale).mean()) for scale in (1, 25, 200, 750, 2500)])
"""


def make(folder, photos):
    import numpy

    random = numpy.random.default_rng(0)
    lat = numpy.degrees(numpy.arcsin(random.uniform(-1, 1, photos)))
    lng = random.uniform(-180, 180, photos)
    away = numpy.minimum(10 ** random.uniform(-2, 2, photos), 40)
    with open(folder / "truth.csv", "w") as truth, open(folder / "found.csv", "w") as found:
        truth.write("photo,lat,lng\n")
        found.write("img_id,p_key,pred_class,pred_lat,pred_lng\n")
        for at in range(photos):
            truth.write(f"{at:08}.jpg,{lat[at]:.6f},{lng[at]:.6f}\n")
            near = lat[at] + away[at] if lat[at] < 0 else lat[at] - away[at]
            found.write(f"{at:08}.jpg,0,7,{near:.6f},{lng[at]:.6f}\n")


def run(name, command):
    start = time.time()
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    took = time.time() - start
    # Greatest of all children so far: the runs come from the smallest to the largest.
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{name:<14} {took:7.1f} s {memory:8.0f} MiB")
    return output


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--photos", type=int, default=10_000_000)
    arguments.add_argument("--folder", type=Path)
    arguments = arguments.parse_args()
    planet = Path(__file__).resolve().parent.parent / "target/release/planet"
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        if not (folder / "found.csv").exists():
            folder.mkdir(exist_ok=True)
            make(folder, arguments.photos)
        files = [folder / "truth.csv", folder / "found.csv"]
        score = [planet, "score", "--json", "--truth", files[0], "--predictions", files[1]]
        ours = json.loads(run("planet score", score))["score"]
        theirs = json.loads(run("pandas", [sys.executable, "-c", PANDAS, *files]))
        assert all(abs(a - b) < 1e-6 for a, b in zip(ours["within"][0], theirs)), (ours["within"], theirs)
        print(f"{ours['counts']['photos']} photos; both find {theirs}")


if __name__ == "__main__":
    main()
