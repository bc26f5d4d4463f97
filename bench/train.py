#!/usr/bin/env python3
"""A training step compared with PyTorch, in one run on one machine: forward, loss, backward, AdaGrad.

Every row is a process of its own that takes steps on photos from the processor's memory: PlaNet's
backends (the example step_speed of planet-train), then PyTorch on the same networks, sizes and
batches, with the same settings: cuDNN selects its fastest algorithm, f32 convolutions may use
TF32 (PyTorch's default), the loss is read after every step.

Needs: Python with torch, torchvision and, for efficientnet-lite0, efficientnet-lite-pytorch; cargo, or step_speed built before:
    scripts/with-torch cargo build --release -p planet-train --features torch --example step_speed
Usage: bench/train.py [--device cuda] [--step-speed FILE] [--case N …] [--seconds S] [--rounds N] [--only TEXT]

With --rounds, a figure is the median of so many rounds, with the least and the greatest; a ratio is
that of two rows of one round.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from rounds import spread

ROOT = Path(__file__).resolve().parent.parent
CLASSES = 500
CASES = {
    "cpu": [
        ("inception-mini", 96, 64), ("inception-v3", 128, 32), ("inception-v3", 299, 16),
        ("efficientnet-lite0", 224, 32),
    ],
    "cuda": [
        ("inception-v3", 299, 64), ("inception-v3", 299, 256),
        ("inception-v3", 128, 256), ("inception-mini", 96, 256),
    ],
}
# Ours as BACKEND PRECISION, PyTorch's as its mode and what ours is compared with.
OURS = {"cpu": ["cpu f32", "torch f32", "torch bf16"], "cuda": ["torch f32", "torch bf16"]}
PEERS = {
    "cpu": ["eager f32", "channels-last f32", "channels-last bf16"],
    "cuda": ["eager f32", "channels-last f32", "channels-last bf16", "compiled bf16"],
}
LIMIT = 240


def model_of(name):
    if name == "inception-v3":
        import torchvision

        return torchvision.models.inception_v3(num_classes=CLASSES, aux_logits=True, init_weights=False)
    if name == "efficientnet-lite0":
        from efficientnet_lite_pytorch import EfficientNet

        return EfficientNet.from_name(name, num_classes=CLASSES)
    path = ROOT / "crates/planet-net/tests/golden/make_forward.py"
    spec = importlib.util.spec_from_file_location("make_forward", path)
    networks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(networks)
    networks.CLASSES = CLASSES
    return networks.inception_mini()


def peer(mode, device, name, side, photos, seconds):
    """Takes steps with PyTorch; prints a line of JSON."""
    import torch
    from torch.nn import functional

    layout, precision = mode.split()
    torch.backends.cudnn.benchmark = True
    model = model_of(name).train()
    if side < 299 and name == "inception-v3":
        # torchvision's auxiliary head does not fit a smaller grid than that of 299 px.
        model.aux_logits, model.AuxLogits = False, None
    order = torch.contiguous_format if layout == "eager" else torch.channels_last
    model = model.to(device, memory_format=order)
    step = torch.compile(model) if layout == "compiled" else model
    pixels = torch.randn(photos, 3, side, side)
    if device != "cpu":
        pixels = pixels.pin_memory()
    targets = (torch.arange(photos) % CLASSES).to(device)
    optimizer = torch.optim.Adagrad(model.parameters(), lr=0.045, initial_accumulator_value=0.1)
    warm_up, times, begin = 3, [], time.perf_counter()
    while len(times) < warm_up + 5 or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        batch = pixels.to(device, non_blocking=True).to(memory_format=order)
        optimizer.zero_grad()
        with torch.autocast(device.split(":")[0], torch.bfloat16, enabled=precision == "bf16"):
            out = step(batch)
            main, aside = out if isinstance(out, tuple) else (out, None)
            loss = functional.cross_entropy(main.float(), targets)
            if aside is not None:
                loss = loss + 0.3 * functional.cross_entropy(aside.float(), targets)
        loss.backward()
        optimizer.step()
        loss.item()
        times.append(time.perf_counter() - start)
        if len(times) == warm_up:
            begin = time.perf_counter()
    timed = sorted(times[warm_up:])
    speed = photos / timed[len(timed) // 2]
    tf32 = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    name = f"torch {torch.__version__}, TF32 in convolutions {tf32[0]}, in products {tf32[1]}"
    print(json.dumps({"photos_a_second": speed, "steps": len(timed), "name": name}))


def card_memory():
    """MB in use on the first card, by everybody."""
    query = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits", "--id=0"]
    try:
        return int(subprocess.run(query, capture_output=True, text=True, check=True).stdout.split()[0])
    except (OSError, subprocess.CalledProcessError, ValueError, IndexError):
        return 0


def measure(command, device, environment):
    """What the command prints, and the greatest memory that it held, in MB, on its device."""
    before, greatest, over = card_memory() if device != "cpu" else 0, [0], threading.Event()

    def watch():
        while not over.wait(0.2):
            greatest[0] = max(greatest[0], card_memory() - before)

    if device != "cpu":
        threading.Thread(target=watch, daemon=True).start()
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        child = subprocess.Popen(command, stdout=out, stderr=errors, env=environment)
        killer = threading.Timer(LIMIT, child.kill)
        killer.start()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        killer.cancel()
        over.set()
        out.seek(0), errors.seek(0)
        lines, errors = out.read().splitlines(), errors.read().strip().splitlines()
    if child.returncode != 0 or not lines:
        return {"error": errors[-1] if errors else f"exit {child.returncode}"}
    memory = usage.ru_maxrss // 1024 if device == "cpu" else greatest[0]
    return {**json.loads(lines[-1]), "memory": memory}


def step_speed(given):
    """The example's binary, and the environment in which it finds libtorch."""
    # Not imported: a process's peak memory counts what this one holds when it begins.
    libraries = Path(importlib.util.find_spec("torch").origin).parent / "lib"
    beside = sorted(libraries.parent.parent.glob("nvidia/*/lib"))
    paths = [str(path) for path in [libraries, *beside]]
    environment = {**os.environ, "LD_LIBRARY_PATH": ":".join(paths)}
    if given:
        return given, environment
    command = ["scripts/with-torch", "cargo", "build", "--release", "-p", "planet-train"]
    command += ["--features", "torch", "--example", "step_speed"]
    python = {**os.environ, "PLANET_TORCH_PYTHON": sys.executable}
    subprocess.run(command, cwd=ROOT, env=python, check=True)
    return str(ROOT / "target/release/examples/step_speed"), environment


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--step-speed", metavar="FILE")
    parser.add_argument("--case", type=int, nargs="*", help="numbers of the cases, from 0")
    parser.add_argument("--seconds", type=float, default=4.0, help="least time of each row")
    parser.add_argument("--rounds", type=int, default=1, help="the rows take turns so many times")
    parser.add_argument("--only", default="", metavar="TEXT", help="only rows whose name has this text")
    parser.add_argument("--peer", nargs=5, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    device, seconds = arguments.device, arguments.seconds
    if arguments.peer:
        mode, name, side, photos, seconds = arguments.peer
        return peer(mode, device, name, int(side), int(photos), float(seconds))
    kind = device.split(":")[0]
    binary, environment = step_speed(arguments.step_speed)
    cases = CASES[kind]
    for at in arguments.case if arguments.case else range(len(cases)):
        name, side, photos = cases[at]
        print(f"{name} at {side} px, batch {photos}, {CLASSES} classes, {device}", flush=True)
        rows = [("PyTorch", mode) for mode in PEERS[kind]] + [("planet", mode) for mode in OURS[kind]]
        rows = [row for row in rows if arguments.only in " ".join(row)]
        results = {row: [] for row in rows}
        for _ in range(arguments.rounds):
            for whose, mode in rows:
                shape = [name, str(side), str(photos)]
                if whose == "PyTorch":
                    command = [sys.executable, __file__, "--device", device]
                    command += ["--peer", mode, *shape, str(seconds)]
                else:
                    command = [binary, mode.split()[0], device, mode.split()[1], *shape, str(CLASSES), str(seconds)]
                results[whose, mode].append(measure(command, kind, environment))
        for whose, mode in rows:
            print(f"  {whose + ' ' + mode:<30}", cell(results, whose, mode), flush=True)
        names = {row.get("name", "") for row in results.get(("PyTorch", "eager f32"), [])}
        print(" ", *names, flush=True)


def cell(results, whose, mode):
    """A row's median and range, and its ratio to the same precision of PyTorch, round by round."""
    rounds = results[whose, mode]
    failed = [row["error"] for row in rounds if "error" in row]
    if failed:
        return failed[0]
    text = f"{spread([row['photos_a_second'] for row in rounds], 1)} photos/s  {max(row['memory'] for row in rounds):5} MB"
    peer = results.get(("PyTorch", f"channels-last {mode.split()[-1]}"))
    if whose == "planet" and peer and not any("error" in row for row in peer):
        ratios = [own["photos_a_second"] / other["photos_a_second"] for own, other in zip(rounds, peer)]
        text += f"  {spread(ratios, 2)} of PyTorch channels-last"
    return text


if __name__ == "__main__":
    main()
