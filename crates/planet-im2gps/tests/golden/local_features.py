#!/usr/bin/env python3
"""Finds and describes local features of three scenes with OpenCV's SIFT.

Writes `local_features.f32` beside itself, little-endian 32-bit numbers: for each scene, how many
features OpenCV finds and how many follow; then of each of the 40 with most contrast x, y, diameter,
angle, response, and 128 numbers scaled to length 1.
Needs numpy and opencv-python-headless. Usage: local_features.py
"""

from pathlib import Path

import cv2
import numpy as np

MOST = 60


def scenes():
    """The scenes that the test makes by the same formula: noise of several sizes, in whole numbers."""
    for number, (width, height) in enumerate([(160, 120), (120, 200), (97, 131)]):
        y, x = np.mgrid[:height, :width]
        sizes = [(29, 128), (13, 80), (6, 47)]
        yield sum(noise(x, y, size, number) * most // 256 for size, most in sizes).astype(np.uint8)


def noise(x, y, size, seed):
    def corner(x, y):
        value = (x * 374761393 + y * 668265263 + (seed + size) * 2246822519) & 0xFFFFFFFF
        value = ((value ^ (value >> 13)) * 1274126177) & 0xFFFFFFFF
        return (value ^ (value >> 16)) & 255

    left, top, right, down = x // size, y // size, x % size, y % size
    upper = corner(left, top) * (size - right) + corner(left + 1, top) * right
    lower = corner(left, top + 1) * (size - right) + corner(left + 1, top + 1) * right
    return (upper * (size - down) + lower * down) // (size * size)


def main():
    sift = cv2.SIFT_create()
    numbers = []
    for scene in scenes():
        keypoints, descriptors = sift.detectAndCompute(scene, None)
        order = sorted(range(len(keypoints)), key=lambda at: -keypoints[at].response)[:MOST]
        numbers += [len(keypoints), len(order)]
        for at in order:
            found, values = keypoints[at], descriptors[at].astype(float)
            numbers += [*found.pt, found.size, found.angle, found.response]
            numbers += list(values / max(np.linalg.norm(values), 1e-9))
        print(len(keypoints), "features")
    np.array(numbers, "<f4").tofile(Path(__file__).resolve().parent / "local_features.f32")


if __name__ == "__main__":
    main()
