#!/usr/bin/env python3
"""Trains support vector machines with scikit-learn, which runs LIBSVM, and an exponential chi-square
kernel between random histograms.

Writes `svm.f32` beside itself, little-endian 32-bit numbers: for each machine the photos that it is
trained with, those that are decided on, and C; then the kernel of the training, 1 or 0 for each of
its photos, the kernel between the others and these, and the decisions.
Needs numpy and scikit-learn. Usage: svm.py
"""

from pathlib import Path

import numpy as np
from sklearn.svm import SVC


def distance(a, b):
    a, b = a[:, None], b[None]
    return 0.5 * ((a - b) ** 2 / (a + b + 1e-30)).sum(-1)


def main():
    random = np.random.default_rng(5)
    numbers = []
    for photos, members, cost, apart in [(40, 8, 1, 0.3), (40, 20, 10, 0.3), (60, 3, 10, 0.6), (50, 25, 100, 0.0)]:
        labels = np.arange(photos) < members
        histograms = random.gamma(0.5, size=(photos + 20, 30))
        histograms[:photos][labels, :5] += apart * 3
        histograms /= histograms.sum(1, keepdims=True)
        train, others = histograms[:photos], histograms[photos:]
        pairs = distance(train, train)
        scale = pairs[np.triu_indices(photos, 1)].mean()
        # What the test reads is what is trained with.
        kernel = np.exp(-pairs / scale).astype("<f4")
        between = np.exp(-distance(others, train) / scale).astype("<f4")
        machine = SVC(kernel="precomputed", C=cost, tol=1e-6).fit(kernel.astype(float), labels)
        decisions = machine.decision_function(between.astype(float))
        print(f"{len(machine.support_)} of {photos} support it; decisions {decisions.round(2)}")
        numbers += [photos, len(others), cost, *kernel.ravel(), *labels, *between.ravel(), *decisions]
    np.array(numbers, "<f4").tofile(Path(__file__).resolve().parent / "svm.f32")


if __name__ == "__main__":
    main()
