#!/usr/bin/env python3
"""Times an exact search beside faiss-cpu's IndexFlatIP: the ten nearest of 1,000 queries.

Both search random vectors of length 1, with two threads, one after the other. PlaNet keeps 16 bits for
each value in a memory-mapped file, faiss 32 bits in memory.

Needs: pip install faiss-cpu numpy; cargo build --release --example exact_search
Usage: bench/exact-search.py [VECTORS [DIMENSIONS [QUERIES]]]    (default 1000000 2048 1000: 12 GB, ten minutes)
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

THREADS, TOP = 2, 10
ROOT = Path(__file__).resolve().parent.parent


def planet(vectors, dimensions, queries):
    binary = os.environ.get("EXACT_SEARCH", ROOT / "target" / "release" / "examples" / "exact_search")
    with tempfile.TemporaryDirectory() as folder:
        command = [binary, str(vectors), str(dimensions), str(queries), folder]
        environment = {**os.environ, "RAYON_NUM_THREADS": str(THREADS)}
        result = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment).stdout)
    return result["seconds"], result["bytes"]


def faiss_flat(vectors, dimensions, queries):
    import faiss
    import numpy

    faiss.omp_set_num_threads(THREADS)
    rng = numpy.random.default_rng(0)

    def random(count):
        values = rng.random((count, dimensions), dtype=numpy.float32) * 2 - 1
        return values / numpy.linalg.norm(values, axis=1, keepdims=True)

    index = faiss.IndexFlatIP(dimensions)
    for _ in range(0, vectors, 50_000):
        index.add(random(min(50_000, vectors - index.ntotal)))
    wanted = random(queries)
    index.search(wanted, TOP)
    before = time.perf_counter()
    index.search(wanted, TOP)
    return time.perf_counter() - before, 4 * vectors * dimensions


def main():
    sizes = [int(word) for word in sys.argv[1:]] + [1_000_000, 2048, 1000][len(sys.argv) - 1:]
    print(f"{sizes[0]:,} vectors of {sizes[1]:,}, {sizes[2]:,} queries, {THREADS} threads")
    for name, run in (("faiss-cpu IndexFlatIP", faiss_flat), ("planet", planet)):
        seconds, size = run(*sizes)
        speed = 2e-9 * sizes[0] * sizes[1] * sizes[2] / seconds
        print(f"{name:22} {seconds:8.2f} s {speed:8.1f} GFLOP/s {size / 1e9:8.2f} GB")


if __name__ == "__main__":
    main()
