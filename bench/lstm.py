#!/usr/bin/env python3
"""An album model's training step beside PyTorch's, in one run: 2048 features -> LSTM 512 ->
26,263 classes, 25 photos, 16 albums, forward and backward.

Needs torch. Run: python3 bench/lstm.py
"""

import json
import subprocess
import time
from pathlib import Path

import torch

FEATURES, HIDDEN, TIME, ALBUMS, CLASSES, REPEATS = 2048, 512, 25, 16, 26_263, 10
ROOT = Path(__file__).resolve().parent.parent


def theirs() -> float:
    """Median seconds of a step, with two threads."""
    torch.set_num_threads(2)
    lstm = torch.nn.LSTM(FEATURES, HIDDEN)
    linear = torch.nn.Linear(HIDDEN, CLASSES)
    inputs = torch.rand(TIME, ALBUMS, FEATURES)
    targets = torch.ones(TIME * ALBUMS, dtype=torch.long)
    seconds = []
    for _ in range(REPEATS + 2):
        begin = time.perf_counter()
        lstm.zero_grad()
        linear.zero_grad()
        logits = linear(lstm(inputs)[0].flatten(0, 1))
        torch.nn.functional.cross_entropy(logits, targets).backward()
        seconds.append(time.perf_counter() - begin)
    return sorted(seconds[2:])[REPEATS // 2]


def ours() -> float:
    """Median seconds of a step, as criterion measured it."""
    subprocess.run(["cargo", "bench", "--quiet", "-p", "planet-train", "--bench", "lstm"],
                   cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    metadata = ["cargo", "metadata", "--format-version=1", "--no-deps"]
    target = json.loads(subprocess.check_output(metadata, cwd=ROOT))["target_directory"]
    path = Path(target, "criterion/lstm/forward and backward/new/estimates.json")
    return json.loads(path.read_text())["median"]["point_estimate"] / 1e9


if __name__ == "__main__":
    torch_seconds, our_seconds = theirs(), ours()
    print(f"torch {torch.__version__}  {torch_seconds * 1000:6.0f} ms a step")
    print(f"planet        {our_seconds * 1000:6.0f} ms a step, "
          f"{our_seconds / torch_seconds:.2f} x torch's time")
