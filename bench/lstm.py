#!/usr/bin/env python3
"""An album model's training step compared with PyTorch's, in one run: 2048 features -> LSTM 512 ->
26,263 classes, 25 photos, 16 albums, forward and backward.

Each side runs in a separate process, in alternating rounds, so that both meet the same other load.
The minimum over all rounds is the value least affected by other processes.

Needs: pip install torch
Usage: bench/lstm.py    (a minute on two cores after the build)
"""

import json
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

FEATURES, HIDDEN, TIME, ALBUMS, CLASSES, REPEATS = 2048, 512, 25, 16, 26_263, 10
TURNS = 3
ROOT = Path(__file__).resolve().parent.parent


def torch_steps() -> None:
    """Prints the milliseconds of each step."""
    import torch

    torch.set_num_threads(os.cpu_count())
    lstm = torch.nn.LSTM(FEATURES, HIDDEN)
    linear = torch.nn.Linear(HIDDEN, CLASSES)
    inputs = torch.rand(TIME, ALBUMS, FEATURES)
    targets = torch.ones(TIME * ALBUMS, dtype=torch.long)
    for step in range(REPEATS + 2):
        begin = time.perf_counter()
        lstm.zero_grad()
        linear.zero_grad()
        logits = linear(lstm(inputs)[0].flatten(0, 1))
        torch.nn.functional.cross_entropy(logits, targets).backward()
        if step > 1:
            print((time.perf_counter() - begin) * 1000)


def run(command: list[str], **options) -> tuple[str, float]:
    """A process's output and its greatest resident size in MB."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options) as process:
        text = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[0]} failed")
    return text, usage.ru_maxrss / 1024


def build() -> tuple[str, Path]:
    """The benchmark's executable, and where criterion leaves its figures."""
    command = ["cargo", "bench", "--workspace", "--bench", "lstm", "--no-run",
               "--message-format=json"]
    text = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    messages = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    found = [it["executable"] for it in messages
             if it.get("target", {}).get("name") == "lstm" and it.get("executable")]
    target = Path(re.sub(r"/release/deps/[^/]*$", "", found[0]))
    return found[0], target / "criterion/lstm/forward and backward/new/sample.json"


def main() -> None:
    executable, sample = build()
    times, peaks = {"torch": [], "planet": []}, {}
    environment = {**os.environ, "CARGO_TARGET_DIR": str(sample.parents[4])}
    for _ in range(TURNS):
        text, peaks["torch"] = run([sys.executable, __file__, "--torch"])
        times["torch"] += [float(line) for line in text.split()]
        _, peaks["planet"] = run([executable, "--bench", "--noplot", "--warm-up-time", "1"],
                                 cwd=ROOT / "crates/planet-train", env=environment,
                                 stderr=subprocess.DEVNULL)
        found = json.loads(sample.read_text())
        pairs = zip(found["times"], found["iters"])
        times["planet"] += [nanoseconds / count / 1e6 for nanoseconds, count in pairs]
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"{'':<8} {'median ms':>10} {'fewest ms':>10} {'peak MB':>8}")
    for name, all_of in times.items():
        print(f"{name:<8} {statistics.median(all_of):10.0f} {min(all_of):10.0f} "
              f"{peaks[name]:8.0f}")
    ratio = [of(times["planet"]) / of(times["torch"]) for of in (statistics.median, min)]
    print(f"planet takes {ratio[0]:.2f} (median), {ratio[1]:.2f} (fewest) times torch's time")


if __name__ == "__main__":
    torch_steps() if sys.argv[1:] == ["--torch"] else main()
