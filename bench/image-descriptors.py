#!/usr/bin/env python3
"""Times gist and local features beside scikit-image and OpenCV, on one core, in one run.

All see the picture that the crate's example `speed` makes: 640 × 480 pixels, which Im2GPS reduces to
256 × 192. Gist is compared with the same formulas in numpy and scipy; the other programs have none.
Needs numpy, scipy, scikit-image and opencv-python-headless. Usage: image-descriptors.py [SPEED]

SPEED is the example as a program; by default cargo builds it.
"""

import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
from skimage import feature

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "crates/planet-im2gps/tests/golden"))
import descriptors  # noqa: E402


def photo():
    y, x = np.mgrid[:480, :640]
    wave = 40 * np.sin(x / 9) + 30 * np.cos(x * y / 9000)
    block = ((x // 14 * 73 + y // 14 * 151) * 2654435761 & 0xFFFFFFFF) >> 26
    noise = (((y * 640 + x) * 2654435761 & 0xFFFFFFFF) >> 28) + block
    return np.stack([100 + wave + noise, 90 - wave + noise, 80.0 + noise], -1).astype(np.uint8)


def milliseconds(calls, call):
    call()
    begun = time.process_time()
    for _ in range(calls):
        call()
    return 1e3 * (time.process_time() - begun) / calls


def main():
    command = sys.argv[1:2] or [
        *"cargo run --release --quiet -p planet-im2gps --example speed".split()
    ]
    print("PlaNet")
    print(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    cv2.setNumThreads(1)
    reduced = descriptors.area(photo(), 192, 256).round().astype(np.uint8)
    grey = descriptors.luma(reduced)
    sift = cv2.SIFT_create(400)
    found = len(sift.detect(grey, None))
    took = milliseconds(20, lambda: sift.detectAndCompute(grey, None))
    print(f"OpenCV {cv2.__version__}, SIFT: {took:.1f} ms for {found} features")
    detector = feature.SIFT()
    took = milliseconds(3, lambda: detector.detect_and_extract(grey))
    print(f"scikit-image, SIFT: {took:.1f} ms for {len(detector.keypoints)} features")
    took = milliseconds(5, lambda: descriptors.gist(reduced))
    print(f"numpy, gist: {took:.1f} ms")


if __name__ == "__main__":
    main()
