#!/usr/bin/env python3
"""Clusters positions on a tangent plane by scikit-learn's mean shift.

Writes `mean_shift.json` beside itself: positions and centres as latitude and longitude, and the
cluster of each position. Needs numpy and scikit-learn. Usage: mean_shift.py
"""

import json
from pathlib import Path

import numpy as np
from sklearn.cluster import MeanShift

RADIUS_KM = 6371.0
BANDWIDTH_KM = 3.0


def main():
    lat, lng = np.radians([48.2, 16.4])
    up = np.array([np.cos(lat) * np.cos(lng), np.cos(lat) * np.sin(lng), np.sin(lat)])
    east = np.array([-np.sin(lng), np.cos(lng), 0])
    north = np.cross(up, east)
    random = np.random.default_rng(5)
    blobs = [([0, 0], 1.2, 40), ([9, 2], 0.9, 25), ([-3, -8], 1.5, 20), ([14, -12], 0.4, 8)]
    plane = np.concatenate([random.normal(at, spread, (n, 2)) for at, spread, n in blobs])
    plane = np.concatenate([plane, [[-14, 11]]])

    def degrees(points):
        vectors = up + (points[:, :1] * east + points[:, 1:] * north) / RADIUS_KM
        x, y, z = vectors.T
        return np.degrees(np.stack([np.arctan2(z, np.hypot(x, y)), np.arctan2(y, x)], 1))

    found = MeanShift(bandwidth=BANDWIDTH_KM).fit(plane)
    text = json.dumps(
        {
            "bandwidth_km": BANDWIDTH_KM,
            "positions": degrees(plane).round(9).tolist(),
            "centres": degrees(found.cluster_centers_).round(9).tolist(),
            "clusters": found.labels_.tolist(),
        }
    )
    (Path(__file__).resolve().parent / "mean_shift.json").write_text(text + "\n")
    print(len(found.cluster_centers_), np.bincount(found.labels_))


if __name__ == "__main__":
    main()
