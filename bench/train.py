#!/usr/bin/env python3
"""A training step beside PyTorch, in one run on one machine: pixels from the host, forward, loss,
backward, AdaGrad, loss read back.

Each configuration runs in a process of its own; a line is printed as soon as it is known.

Needs: pip install torch torchvision numpy (the torch of scripts/with-torch)
Usage: scripts/with-torch bench/train.py [--device cpu|cuda:0] [--step-speed BINARY] [--compiled]
       [--seconds S] [--case ARCHITECTURE:SIDE:BATCH ...]

BINARY is the example step_speed of planet-train, built with the feature torch; it is built where
none is given. --compiled adds torch.compile, which takes minutes.
"""

import argparse
import importlib.util
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CLASSES = 500
CASES = {
    "cpu": ["inception-mini:96:64", "inception-v3:128:32", "inception-v3:299:16"],
    "cuda": ["inception-v3:299:64", "inception-v3:299:256"],
}
# Ours: backend and precision. Theirs: channels last, bf16, compiled.
OURS = {
    "cpu": [("cpu", "f32"), ("torch", "f32"), ("torch", "bf16")],
    "cuda": [("torch", "f32"), ("torch", "bf16")],
}
THEIRS = {
    "cpu": ["eager", "channels-last", "channels-last bf16"],
    "cuda": ["eager", "channels-last", "channels-last bf16"],
}
COMPILED = ["channels-last bf16 compiled"]


def model_of(name, side):
    import torchvision

    if name == "inception-v3":
        # The auxiliary head does not fit a smaller grid than that of 299 px.
        auxiliary = side >= 299
        return torchvision.models.inception_v3(num_classes=CLASSES, aux_logits=auxiliary, init_weights=False)
    path = ROOT / "crates/planet-net/tests/golden/make_forward.py"
    spec = importlib.util.spec_from_file_location("make_forward", path)
    networks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(networks)
    networks.CLASSES = CLASSES
    return networks.inception_mini()


def peer(name, side, photos, mode, device, seconds):
    """PyTorch in this process: warms up, says so, waits for a line, then measures."""
    import torch
    from torch.nn import functional

    torch.backends.cudnn.benchmark = True
    torch.set_num_threads(os.cpu_count())
    layout = torch.channels_last if "channels-last" in mode else torch.contiguous_format
    model = model_of(name, side).train().to(device, memory_format=layout)
    if "compiled" in mode:
        model = torch.compile(model)
    cuda = device != "cpu"
    batches = [torch.rand(photos, 3, side, side) * 2 - 1 for _ in range(2)]
    if cuda:
        batches = [batch.pin_memory() for batch in batches]
    targets = (torch.arange(photos) % CLASSES).to(device)
    optimizer = torch.optim.Adagrad(model.parameters(), lr=0.045, initial_accumulator_value=0.1)

    def step(at):
        pixels = batches[at % 2].to(device, non_blocking=True).to(memory_format=layout)
        optimizer.zero_grad()
        with torch.autocast(device.split(":")[0], torch.bfloat16, enabled="bf16" in mode):
            out = model(pixels)
            main, aside = out if isinstance(out, tuple) else (out, None)
            loss = functional.cross_entropy(main.float(), targets)
            if aside is not None:
                loss = loss + 0.3 * functional.cross_entropy(aside.float(), targets)
        loss.backward()
        optimizer.step()
        return loss.item()

    for at in range(3):
        step(at)
    print("ready", flush=True)
    sys.stdin.readline()
    times, begin = [], time.perf_counter()
    while len(times) < 3 or time.perf_counter() - begin < seconds:
        before = time.perf_counter()
        step(len(times))
        if cuda:
            torch.cuda.synchronize()
        times.append(time.perf_counter() - before)
    median = sorted(times)[len(times) // 2]
    peak = f", {torch.cuda.max_memory_allocated() / 2**20:.0f} MiB of tensors" if cuda else ""
    print(f"{photos / median:.2f} photos/s, {median * 1e3:.2f} ms a step{peak}", flush=True)


class Memory(threading.Thread):
    """Greatest memory that a process or the card has in use, in MiB, looked at twenty times a second."""

    def __init__(self, pid, device):
        super().__init__(daemon=True)
        self.pid, self.device, self.most, self.ended = pid, device, 0, False
        self.before = self.card() if device != "cpu" else 0

    def card(self):
        query = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
        return int(subprocess.run(query, capture_output=True, text=True).stdout.split()[0])

    def run(self):
        while not self.ended:
            try:
                if self.device == "cpu":
                    status = Path(f"/proc/{self.pid}/status").read_text()
                    self.most = max(self.most, int(re.search(r"VmHWM:\s+(\d+)", status)[1]) // 1024)
                else:
                    self.most = max(self.most, self.card() - self.before)
            except (OSError, TypeError, IndexError, ValueError):
                pass
            time.sleep(0.05 if self.device == "cpu" else 0.5)


def start(command):
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def line(process, seconds):
    """The next line of a process, or why there is none."""
    said = []
    reader = threading.Thread(target=lambda: said.append(process.stdout.readline().strip()), daemon=True)
    reader.start()
    reader.join(seconds)
    return said[0] if said and said[0] else "nothing within its time"


def measure(process, device, patience):
    memory = Memory(process.pid, device)
    memory.start()
    answer = line(process, patience)
    if answer == "ready":
        process.stdin.write("\n")
        process.stdin.flush()
        answer = line(process, patience)
    memory.ended = True
    memory.join()
    process.kill()
    process.wait()
    return f"{answer}, {memory.most} MiB in use"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--step-speed", type=Path)
    parser.add_argument("--compiled", action="store_true")
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--patience", type=float, default=120)
    parser.add_argument("--case", action="append")
    parser.add_argument("--peer", nargs=4, help="for its own use")
    given = parser.parse_args()
    kind = given.device.split(":")[0]
    if given.peer:
        name, side, photos, mode = given.peer
        return peer(name, int(side), int(photos), mode, given.device, given.seconds)
    if not given.step_speed:
        build = ["cargo", "build", "--release", "-p", "planet-train", "--features", "torch", "--example", "step_speed"]
        subprocess.run(build, cwd=ROOT, check=True)
        given.step_speed = ROOT / "target/release/examples/step_speed"
    own = [str(given.step_speed.resolve())]
    theirs = [sys.executable, __file__, "--device", given.device, "--seconds", str(given.seconds), "--peer"]
    cases = [case.split(":") for case in given.case or CASES[kind]]
    # Compiling takes minutes of the processor: it is done before anything is measured.
    compiled = [
        (case, mode, start([*theirs, *case, mode]))
        for case in (cases if given.compiled else [])
        for mode in COMPILED
    ]
    ready = [line(process, 3 * given.patience) for _, _, process in compiled]
    for case in cases:
        name = " ".join(case)
        for backend, precision in OURS[kind]:
            settings = [*case, str(CLASSES), backend, given.device, precision, str(given.seconds)]
            found = measure(start([*own, *settings]), given.device, given.patience)
            print(f"{name}: planet {backend} {precision}: {found}", flush=True)
        for mode in THEIRS[kind]:
            found = measure(start([*theirs, *case, mode]), given.device, given.patience)
            print(f"{name}: PyTorch {mode}: {found}", flush=True)
    for (case, mode, process), found in zip(compiled, ready):
        if found == "ready":
            process.stdin.write("\n")
            process.stdin.flush()
            found = line(process, given.patience)
        process.kill()
        print(f"{' '.join(case)}: PyTorch {mode}: {found}", flush=True)


if __name__ == "__main__":
    main()
