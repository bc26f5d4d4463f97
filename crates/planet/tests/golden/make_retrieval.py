#!/usr/bin/env python3
"""Makes retrieval.json beside this script: pooling and whitening by numpy, in f64.

Inputs follow a formula that the test repeats: value i is ((31 i² + 17 i + seed) mod 1009) / 1009 − ½,
so that the file holds results alone. A component's sign makes its greatest value, by size, positive.

Needs: pip install numpy
Usage: make_retrieval.py
"""

import json
from pathlib import Path

import numpy

MAPS = [(5, 4, 4), (5, 3, 5), (4, 12, 7), (3, 9, 16)]
WHITENINGS = [(60, 6, 4), (7, 12, 3)]


def values(count, seed):
    """Rounded to f32, as the test computes them."""
    at = numpy.arange(count)
    parts = ((31 * at * at + 17 * at + seed) % 1009).astype(numpy.float32)
    return (parts / numpy.float32(1009) - numpy.float32(0.5)).astype(numpy.float64)


def unit(vector):
    return vector / numpy.linalg.norm(vector)


def gem(image, power):
    return (numpy.maximum(image, 1e-6) ** power).mean((1, 2)) ** (1 / power)


def rmac(image, levels=3, overlap=0.4):
    _, height, width = image.shape
    short, long = min(height, width), max(height, width)
    counts = numpy.arange(2, 8)
    steps = (long - short) / (counts - 1)
    more = int(numpy.argmin(abs((short ** 2 - short * steps) / short ** 2 - overlap))) + 1
    down, across = (more if height > width else 0), (more if width > height else 0)
    total = 0
    for level in range(1, levels + 1):
        side = 2 * short // (level + 1)

        def starts(length, count):
            step = (length - side) / (count - 1) if count > 1 else 0
            return [int(at * step) for at in range(count)]

        for top in starts(height, level + down):
            for left in starts(width, level + across):
                total = total + unit(image[:, top:top + side, left:left + side].max((1, 2)))
    return unit(total)


def whitening(vectors, outputs):
    mean = vectors.mean(0)
    variances, directions = numpy.linalg.eigh(numpy.cov(vectors, rowvar=False))
    order = numpy.argsort(variances)[::-1][:outputs]
    rows = directions[:, order].T
    signs = numpy.sign(rows[numpy.arange(outputs), abs(rows).argmax(1)])
    return (vectors - mean) @ (rows * (signs / numpy.sqrt(variances[order]))[:, None]).T


def main():
    golden = {"maps": [], "whitenings": []}
    for channels, height, width in MAPS:
        image = values(channels * height * width, 1).reshape(channels, height, width)
        golden["maps"].append({
            "shape": [channels, height, width], "mean": image.mean((1, 2)).tolist(),
            "gem3": gem(image, 3).tolist(), "gem2.5": gem(image, 2.5).tolist(),
            "rmac": rmac(image).tolist()})
    for count, inputs, outputs in WHITENINGS:
        # Columns of different spread, so that components are well apart.
        spread = 1 + numpy.arange(inputs)
        vectors = values(count * inputs, 2).reshape(count, inputs)
        vectors = (vectors.astype(numpy.float32) * spread.astype(numpy.float32)).astype(numpy.float64)
        golden["whitenings"].append({
            "shape": [count, inputs, outputs], "first": whitening(vectors, outputs)[:3].tolist()})
    path = Path(__file__).with_name("retrieval.json")
    path.write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
