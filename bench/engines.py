#!/usr/bin/env python3
"""Times inception-v3 over 26,263 classes, one ONNX file, in our engines and in their peers.

Ours: `planet engine bench` with native, rten and, where a library is at hand, ONNX Runtime and OpenVINO.
Theirs, in Python: onnxruntime, openvino (f32, bf16), torch with torchvision's module (eager,
channels-last, channels-last bf16). Each runs in a process of its own with THREADS threads:
the median of single photos over SECONDS, photos per second in batches of 8, and the peak
resident size. The pixels are synthetic: decoding is another benchmark's matter. --quantized adds rows
for a network in 8 bits or with weights in 16, for example one that bench/pipeline.py --int8 --half --keep
FOLDER leaves in FOLDER; native has a row where it runs it.

Needs: cargo build --release; pip install onnxruntime openvino torch torchvision numpy
Usage: bench/engines.py [--onnxruntime LIBRARY]... [--architecture NAME] [--classes N]
           [--quantized NAME=FILE]...
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

ROOT = Path(__file__).resolve().parent.parent
THREADS = 2
SECONDS = 5.0
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


def ours(model, library, engine, device):
    command = [ROOT / "target/release/planet", "engine", "bench", "--json", "--engine", engine,
               "--device", device, "--threads", str(THREADS), "--seconds", str(SECONDS),
               "--batch", str(BATCH), model]
    if library:
        command += ["--onnxruntime", library]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def row(name, result):
    if result.returncode:
        print(f"| {name} | {result.stderr.decode().strip().splitlines()[-1]} |", flush=True)
        return
    it = json.loads(result.stdout)
    print(f"| {name} | {it['photo_ms']:.1f} | {it['photos_per_s']:.1f} | {it['load_ms']:.0f} "
          f"| {it['first_ms']:.0f} | {it['peak_mb']:.0f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architecture", default="inception-v3", choices=SIDES)
    parser.add_argument("--classes", default=26_263, type=int)
    parser.add_argument("--onnxruntime", action="append", default=[], metavar="LIBRARY")
    parser.add_argument("--quantized", action="append", default=[], metavar="NAME=FILE")
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
        print("| engine | one photo, ms | photos/s, batch 8 | load, ms | first photo, ms | peak memory, MB |")
        print("|---|---|---|---|---|---|", flush=True)
        for engine in ["native", "rten"]:
            row(f"**planet, {engine}**", ours(model, None, engine, "cpu"))
        for library in arguments.onnxruntime:
            for device in ["cpu", "openvino", "openvino:bf16"]:
                result = ours(model, library, "onnxruntime", device)
                if b"was built without" not in result.stderr:
                    version = Path(library).name.removeprefix("libonnxruntime.so.")
                    row(f"**planet, ONNX Runtime {version}, {device}**", result)
        for name, file in (text.split("=", 1) for text in arguments.quantized):
            native = ours(file, None, "native", "cpu")
            if b"is not supported" not in native.stderr:
                row(f"**planet, {name}, native**", native)
            row(f"**planet, {name}, rten**", ours(file, None, "rten", "cpu"))
            for library in arguments.onnxruntime:
                row(f"**planet, {name}, ONNX Runtime**", ours(file, library, "onnxruntime", "cpu"))
            command = [sys.executable, __file__, "--architecture", arguments.architecture,
                       "--peer", "Python onnxruntime", file]
            row(f"Python onnxruntime, {name}",
                subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        for name in PEERS:
            if name.startswith("PyTorch") and arguments.architecture != "inception-v3":
                continue
            command = [sys.executable, __file__, "--architecture", arguments.architecture, "--peer", name, model]
            row(name, subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE))


if __name__ == "__main__":
    main()
