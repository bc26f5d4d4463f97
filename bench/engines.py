#!/usr/bin/env python3
"""Times inception-v3 over 26,263 classes, one ONNX file, in our engines and in their peers.

Ours: `planet engine bench` with native, rten and, where a library is at hand, ONNX Runtime and OpenVINO.
Theirs, in Python: onnxruntime, openvino (f32, bf16), torch with torchvision's module (eager,
channels-last, channels-last bf16). Each runs in a process of its own with THREADS threads:
the median of single photos over SECONDS, photos per second in batches of 8, and the peak
resident size. With --rounds, the rows take turns; a cell is then the median with the least and the
greatest value. The pixels are synthetic: decoding is another benchmark's matter. --quantized adds rows
for a network in 8 bits or with weights in 16, for example one that bench/pipeline.py --int8 --half --keep
FOLDER leaves in FOLDER; native has a row where it runs it.

Needs: cargo build --release; pip install onnxruntime openvino torch torchvision numpy
Usage: bench/engines.py [--onnxruntime LIBRARY]... [--architecture NAME] [--classes N] [--rounds N]
           [--only TEXT[,TEXT...]] [--quantized NAME=FILE]...
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rounds import chosen, in_turns, spread

ROOT = Path(__file__).resolve().parent.parent
THREADS = 2
SECONDS = 4.0
BATCH = 8
SIDES = {"inception-v3": 299, "inception-mini": 96, "mobilenet-v3-large": 224, "inception-bn": 224,
         "efficientnet-lite0": 224}


def onnxruntime_(model, side):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    return lambda pixels: session.run(["embedding", "logits"], {"pixels": pixels})


def openvino_(precision):
    def load(model, side):
        import openvino

        core = openvino.Core()
        config = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": THREADS,
                  "PERFORMANCE_HINT": "LATENCY"}
        compiled = core.compile_model(str(model), "CPU", config)
        return lambda pixels: compiled([pixels])
    return load


def torch_(channels_last, bf16):
    def load(model, side):
        import torch
        import torchvision

        torch.set_num_threads(THREADS)
        classes = int(os.environ["CLASSES"])
        network = torchvision.models.inception_v3(num_classes=classes, aux_logits=False, init_weights=False).eval()
        network = network.to(memory_format=torch.channels_last) if channels_last else network

        def run(pixels):
            batch = torch.from_numpy(pixels)
            batch = batch.contiguous(memory_format=torch.channels_last) if channels_last else batch
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                return network(batch)
        return run
    return load


PEERS = {
    "Python onnxruntime": onnxruntime_,
    "Python openvino f32": openvino_("f32"),
    "Python openvino bf16": openvino_("bf16"),
    "PyTorch eager": torch_(False, False),
    "PyTorch channels-last": torch_(True, False),
    "PyTorch channels-last bf16": torch_(True, True),
}


def measure(name, model, side):
    """One peer, in this process, as JSON on stdout."""
    import numpy

    began = time.perf_counter()
    run = PEERS[name](model, side)
    load = time.perf_counter() - began
    pixels = numpy.random.default_rng(0).uniform(-1, 1, (BATCH, 3, side, side)).astype(numpy.float32)

    def laps(batch):
        found, began = [], time.perf_counter()
        while len(found) < 3 or time.perf_counter() - began < SECONDS:
            lap = time.perf_counter()
            run(batch)
            found.append(time.perf_counter() - lap)
        return found

    began = time.perf_counter()
    run(pixels[:1])
    first = time.perf_counter() - began
    one = laps(pixels[:1])
    run(pixels)
    many = laps(pixels)
    print(json.dumps({
        "engine": name,
        "load_ms": load * 1e3,
        "first_ms": first * 1e3,
        "photo_ms": statistics.median(one) * 1e3,
        "photos_per_s": BATCH * len(many) / sum(many),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }))


def ours(model, library, engine, device="cpu"):
    """The command that measures an engine of ours."""
    command = [ROOT / "target/release/planet", "engine", "bench", "--json", "--engine", engine,
               "--device", device, "--threads", str(THREADS), "--seconds", str(SECONDS),
               "--batch", str(BATCH), model]
    return command + (["--onnxruntime", library] if library else [])


def theirs(architecture, name, model):
    """The command that measures a peer."""
    return [sys.executable, __file__, "--architecture", architecture, "--peer", name, model]


def table(rows, rounds, environment):
    """Measures the rows in turns and prints them; a row that an engine cannot have is left out."""
    def measured(command):
        result = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if result.returncode:
            raise RuntimeError(" ".join(result.stderr.decode().split()))
        return json.loads(result.stdout)

    found = in_turns(rows, rounds, measured)
    columns = {"photo_ms": 1, "photos_per_s": 1, "load_ms": 0, "first_ms": 0, "peak_mb": 0}
    for name, values in found.items():
        if not isinstance(values, str):
            print(f"| {name} | {' | '.join(spread([it[key] for it in values], digits) for key, digits in columns.items())} |")
        elif "was built without" not in values and "is not supported" not in values:
            print(f"| {name} | {values} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architecture", default="inception-v3", choices=SIDES)
    parser.add_argument("--classes", default=26_263, type=int)
    parser.add_argument("--onnxruntime", action="append", default=[], metavar="LIBRARY")
    parser.add_argument("--quantized", action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--rounds", type=int, default=1, help="how often every row is measured")
    parser.add_argument("--only", default="", metavar="TEXT[,TEXT...]", help="rows whose name holds one of these texts")
    parser.add_argument("--peer", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    side = SIDES[arguments.architecture]
    if arguments.peer:
        return measure(arguments.peer[0], Path(arguments.peer[1]), side)

    environment = {**os.environ, "CLASSES": str(arguments.classes), "OMP_NUM_THREADS": str(THREADS)}
    with tempfile.TemporaryDirectory() as folder:
        example = ROOT / "target/release/examples/random_model"
        subprocess.run([example, arguments.architecture, str(arguments.classes), folder], check=True)
        model = Path(folder) / "model.onnx"
        rows = [(f"**planet, {engine}**", ours(model, None, engine)) for engine in ["native", "rten"]]
        for library in arguments.onnxruntime:
            version = Path(library).name.removeprefix("libonnxruntime.so.")
            for device in ["cpu", "openvino", "openvino:bf16"]:
                rows.append((f"**planet, ONNX Runtime {version}, {device}**", ours(model, library, "onnxruntime", device)))
        for name, file in (text.split("=", 1) for text in arguments.quantized):
            rows += [(f"**planet, {name}, {engine}**", ours(file, None, engine)) for engine in ["native", "rten"]]
            for library in arguments.onnxruntime:
                rows.append((f"**planet, {name}, ONNX Runtime**", ours(file, library, "onnxruntime")))
            rows.append((f"Python onnxruntime, {name}", theirs(arguments.architecture, "Python onnxruntime", file)))
        for name in PEERS:
            if not name.startswith("PyTorch") or arguments.architecture == "inception-v3":
                rows.append((name, theirs(arguments.architecture, name, model)))
        print("| engine | one photo, ms | photos/s, batch 8 | load, ms | first photo, ms | peak memory, MB |")
        print("|---|---|---|---|---|---|", flush=True)
        table(chosen(rows, arguments.only), arguments.rounds, environment)


if __name__ == "__main__":
    main()
