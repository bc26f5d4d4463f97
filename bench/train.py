#!/usr/bin/env python3
"""A training step beside PyTorch, in one run on one machine: forward, loss, backward, AdaGrad.

Runs the criterion benchmark of planet-train, then PyTorch on the same networks, sizes and
batches: eager, channels-last, and channels-last with bf16 autocast.

Needs: pip install torch torchvision safetensors numpy
Usage: bench/train.py    (ten minutes on two cores)
"""

import importlib.util
import os
import re
import resource
import subprocess
import time
from pathlib import Path

import torch
import torchvision
from torch.nn import functional

ROOT = Path(__file__).resolve().parent.parent
CLASSES = 500
CASES = [("inception-mini", 96, 64), ("inception-v3", 128, 32), ("inception-v3", 299, 16)]


def ours():
    """Photos a second of each case, and the process's greatest resident size in MB."""
    command = ["cargo", "bench", "--workspace", "--bench", "step", "--", "--noplot"]
    text = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = re.findall(r"step/([a-z0-9-]+)/(\d+)\s+time:.*?thrpt:\s+\[\S+ \S+ (\S+) elem/s", text, re.S)
    return {(name, int(side)): float(speed) for name, side, speed in found}


def model_of(name):
    if name == "inception-v3":
        return torchvision.models.inception_v3(num_classes=CLASSES, aux_logits=True, init_weights=False)
    path = ROOT / "crates/planet-net/tests/golden/make_forward.py"
    spec = importlib.util.spec_from_file_location("make_forward", path)
    networks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(networks)
    networks.CLASSES = CLASSES
    return networks.inception_mini()


def peer(name, side, photos, channels_last, bf16):
    model = model_of(name).train()
    pixels = torch.randn(photos, 3, side, side)
    if side < 299 and name == "inception-v3":
        # torchvision's auxiliary head does not fit a smaller grid than that of 299 px.
        model.aux_logits, model.AuxLogits = False, None
    if channels_last:
        model = model.to(memory_format=torch.channels_last)
        pixels = pixels.to(memory_format=torch.channels_last)
    targets = torch.arange(photos) % CLASSES
    optimizer = torch.optim.Adagrad(model.parameters(), lr=0.045, initial_accumulator_value=0.1)
    times = []
    for _ in range(6):
        start = time.perf_counter()
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            out = model(pixels)
            main, aside = out if isinstance(out, tuple) else (out, None)
            loss = functional.cross_entropy(main.float(), targets)
            if aside is not None:
                loss = loss + 0.3 * functional.cross_entropy(aside.float(), targets)
        loss.backward()
        optimizer.step()
        times.append(time.perf_counter() - start)
    return photos / sorted(times[1:])[len(times[1:]) // 2]


def main():
    torch.set_num_threads(os.cpu_count())
    speeds = ours()
    modes = [("eager", False, False), ("channels-last", True, False), ("channels-last bf16", True, True)]
    print(f"{'photos/s':<24} {'planet':>8}", *(f"{mode:>20}" for mode, _, _ in modes))
    for name, side, photos in CASES:
        own = speeds[(name, side)]
        row = [f"{name + ' ' + str(side):<24} {own:8.1f}"]
        for _, channels_last, bf16 in modes:
            speed = peer(name, side, photos, channels_last, bf16)
            row.append(f"{speed:12.1f} ({own / speed:4.2f}x)")
        print(*row, flush=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"greatest resident size of the benchmark: {peak:.0f} MB; torch {torch.__version__}")


if __name__ == "__main__":
    main()
