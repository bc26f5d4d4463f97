#!/usr/bin/env python3
"""Makes score-truth.csv, score-predictions.csv and score-expected.json: a scorer of its own.

Needs: pip install numpy geographiclib.  Usage: python3 make_score.py
"""

import csv
import json
import math
from pathlib import Path

import numpy
from geographiclib.geodesic import Geodesic

RADIUS = 6371.0
SCALES = [1, 25, 200, 750, 2500]
here = Path(__file__).parent
random = numpy.random.default_rng(7)


def haversine(a, b):
    (lat, lng), (lat2, lng2) = numpy.radians(a), numpy.radians(b)
    h = math.sin((lat2 - lat) / 2) ** 2 + math.cos(lat) * math.cos(lat2) * math.sin((lng2 - lng) / 2) ** 2
    return 2 * RADIUS * math.asin(math.sqrt(h))


def geodesic(a, b):
    return Geodesic.WGS84.Inverse(a[0], a[1], b[0], b[1])["s12"] / 1000


def position():
    return round(math.degrees(math.asin(random.uniform(-1, 1))), 6), round(random.uniform(-180, 180), 6)


def near(place):
    away = 10 ** random.uniform(-1, 4.2)
    turn = random.uniform(0, 360)
    there = Geodesic.WGS84.Direct(place[0], place[1], turn, away * 1000)
    return round(there["lat2"], 6), round(there["lon2"], 6)


photos = {f"p{at}.jpg": position() for at in range(400)}
kinds = {photo: ["beach", "street", "food"][at % 3] for at, photo in enumerate(photos)}
answers = {}
for at, (photo, place) in enumerate(photos.items()):
    if at % 40 == 7:
        continue  # never mentioned
    answers[photo] = [] if at % 50 == 3 else [near(place) for _ in range(1 + at % 5)]

with open(here / "score-truth.csv", "w", newline="") as file:
    table = csv.writer(file, lineterminator="\n")
    table.writerow(["IMG_ID", "LAT", "LON", "category"])
    for photo, place in photos.items():
        table.writerow([photo, *place, kinds[photo]])
    table.writerow(["nowhere.jpg", "", "", "food"])
with open(here / "score-predictions.csv", "w", newline="") as file:
    table = csv.writer(file, lineterminator="\n")
    table.writerow(["img_id", "p_key", "pred_class", "pred_lat", "pred_lng"])
    for photo, places in answers.items():
        for rank, place in enumerate(places):
            table.writerow([photo, rank, "", *place])
        if not places:
            table.writerow([photo, "", "", "", ""])
    table.writerow(["p0.jpg", 0, "", 0, 0])
    table.writerow(["stranger.jpg", 0, "", 0, 0])


def score(distance):
    errors = [[distance(photos[photo], place) for place in answers.get(photo, [])] for photo in photos]
    first = [error[0] if error else math.inf for error in errors]
    within = []
    for k in range(1, 6):
        best = numpy.array([min(error[:k], default=math.inf) for error in errors])
        within.append([float((best <= scale).mean()) for scale in SCALES])
    located = [error for error in first if error < math.inf]
    huge = [min(error, 1e9) for error in first]
    categories = {}
    for kind in sorted(set(kinds.values())):
        own = [error for error, photo in zip(huge, photos) if kinds[photo] == kind]
        categories[kind] = float(numpy.median(own))
    return {
        "within": within,
        "quartiles_km": [float(numpy.quantile(huge, share)) for share in (0.25, 0.5, 0.75)],
        "mean_km": float(numpy.mean(located)),
        "geoscore": float(sum(5000 * math.exp(-error / 1492.7) for error in located) / len(first)),
        "category_median_km": categories,
    }


expected = {
    "counts": {
        "photos": len(photos),
        "located": sum(bool(places) for places in answers.values()),
        "failed": sum(not places for places in answers.values()),
        "missing": len(photos) - len(answers),
        "doubled": 1,
        "unknown": 1,
        "without_position": 1,
        "truth_doubled": 0,
    },
    "haversine": score(haversine),
    "geodesic": score(geodesic),
}
(here / "score-expected.json").write_text(json.dumps(expected, indent=1) + "\n")
