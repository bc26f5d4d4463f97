#!/usr/bin/env python3
"""From JPEG files to places: planet compared with Python pipelines, one model, the same photos.

inception-v3 at 299 px over 26,263 classes with random weights, one ONNX file. Ours is
`planet locate` with native, rten and, where a library is named, ONNX Runtime and OpenVINO. Theirs read,
decode, shrink, run and rank in Python: Pillow + onnxruntime, torchvision + PyTorch (channels-last,
f32 and bf16), OpenCV + OpenVINO (f32 and bf16). They decode on THREADS threads ahead of the
engine and take batches of 8, as ours does. Every figure is that of a process of its own:

    cold       one photo, from the start of the process to its end, the least of three
    warm       one photo in a process that has seen it before, the median
    photos/s   (photos − 1) / (time for all − time for one), so that loading is excluded
    peak       the greatest resident size of the process with all photos

Photos of 640 px are taken from FOLDER, those of 12 megapixels are mosaics of them. With --rounds,
the rows take turns; a cell is then the median with the least and the greatest value.

With --cpu, times are processor time with one thread for each engine, which another program on the
same machine changes far less: photos/s becomes photos for each second of one core, and warm is left out.

With --int8 there are rows in 8 bits too: the package that planet model quantize makes, and the
network that onnxruntime's own tool makes (static, QDQ, weights for each channel), both calibrated on
the same photos of FOLDER, of which at least 400 are needed. native does not run networks in 8 bits. With
--half there are rows for the package with weights in 16 bits.

Needs: cargo build --release -p planet-cli; cargo build --release -p planet-net --example random_model
       pip install pillow numpy onnxruntime openvino opencv-python-headless torch torchvision
       with --int8 also: pip install onnx
Usage: bench/pipeline.py [--photos 100] [--large 40] [--rounds 1] [--cpu] [--int8] [--half] [--planet NAME=BINARY]...
           [--onnxruntime LIBRARY]... [--python PYTHON] [--only TEXT] [--keep FOLDER] FOLDER
"""

import argparse
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rounds import chosen, in_turns, spread

ROOT = Path(__file__).resolve().parent.parent
SIDE, CLASSES, BATCH, AHEAD = 299, 26_263, 8, 24
THREADS = int(os.environ.get("THREADS", 2))
SECONDS = 4.0


# Photos to pixels [3, 299, 299], -1..=1.

def with_pillow(path):
    import numpy
    from PIL import Image

    with Image.open(path) as photo:
        small = photo.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return numpy.ascontiguousarray(numpy.asarray(small).transpose(2, 0, 1), dtype=numpy.float32) / 127.5 - 1.0


def with_opencv(path):
    import cv2
    import numpy

    small = cv2.resize(cv2.imread(str(path)), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    pixels = cv2.cvtColor(small, cv2.COLOR_BGR2RGB)
    return numpy.ascontiguousarray(pixels.transpose(2, 0, 1), dtype=numpy.float32) / 127.5 - 1.0


def with_torchvision(path):
    from torchvision.io import ImageReadMode, decode_image
    from torchvision.transforms.v2 import functional

    small = functional.resize(decode_image(str(path), ImageReadMode.RGB), [SIDE, SIDE], antialias=True)
    return (small.float() / 127.5 - 1.0).numpy()


# Engines: a function from pixels [photos, 3, 299, 299] to logits [photos, 26263].

def onnxruntime_(model):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    return lambda pixels: session.run(["logits"], {"pixels": pixels})[0]


def openvino_(precision):
    def load(model):
        import openvino

        config = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": THREADS, "PERFORMANCE_HINT": "LATENCY"}
        compiled = openvino.Core().compile_model(str(model), "CPU", config)
        return lambda pixels: compiled([pixels])["logits"]
    return load


def torch_(bf16):
    def load(_):
        import torch
        import torchvision

        torch.set_num_threads(THREADS)
        network = torchvision.models.inception_v3(num_classes=CLASSES, aux_logits=False, init_weights=False).eval()
        network = network.to(memory_format=torch.channels_last)

        def run(pixels):
            batch = torch.from_numpy(pixels).contiguous(memory_format=torch.channels_last)
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                return network(batch).float().numpy()
        return run
    return load


PEERS = {
    "Pillow + onnxruntime": (with_pillow, onnxruntime_),
    "torchvision + PyTorch, channels-last": (with_torchvision, torch_(False)),
    "torchvision + PyTorch, channels-last bf16": (with_torchvision, torch_(True)),
    "OpenCV + OpenVINO, f32": (with_opencv, openvino_("f32")),
    "OpenCV + OpenVINO, bf16": (with_opencv, openvino_("bf16")),
}


def ranked(logits):
    """The five best classes of each photo with their probabilities."""
    import numpy

    weights = numpy.exp(logits - logits.max(1, keepdims=True))
    best = numpy.argpartition(weights, -5)[:, -5:]
    return [sorted(((w[c] / w.sum(), c) for c in row), reverse=True) for w, row in zip(weights, best)]


def peer(name, model, photos):
    """Locates photos; of a single one prints the median time once it is warm too."""
    import numpy

    decode, load = PEERS[name]
    if decode is with_opencv:
        import cv2
        cv2.setNumThreads(1)
    run = load(model)
    answers = []
    with ThreadPoolExecutor(THREADS) as pool:
        coming, rest = deque(), iter(photos)
        for path in rest:
            coming.append(pool.submit(decode, path))
            if len(coming) == AHEAD:
                break
        while coming:
            batch = [coming.popleft().result() for _ in range(min(BATCH, len(coming)))]
            for path in rest:
                coming.append(pool.submit(decode, path))
                if len(coming) == AHEAD:
                    break
            answers += ranked(run(numpy.stack(batch)))
    assert len(answers) == len(photos)
    if os.environ.get("WARM"):
        laps, began = [], time.perf_counter()
        while len(laps) < 3 or time.perf_counter() - began < SECONDS:
            lap = time.perf_counter()
            ranked(run(decode(photos[0])[None]))
            laps.append(time.perf_counter() - lap)
        print(statistics.median(laps) * 1e3)


def timed(command, **environment):
    """Seconds, the greatest resident size in MB, and what was printed."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **environment})
    out, error = process.stdout.read(), process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    took = usage.ru_utime + usage.ru_stime if "THREADS" in os.environ else time.perf_counter() - began
    if status:
        raise RuntimeError(" ".join(error.decode().split()))
    return took, usage.ru_maxrss / 1024, out


def figures(locate, warm, sets):
    """The cells of one line: `locate` and `warm` make a command for photos."""
    found = []
    for photos in sets:
        cold = min(timed(locate(photos[:1]))[0] for _ in range(3))
        whole, peak, _ = timed(locate(photos))
        command, read = warm(photos[0])
        lap = math.nan if "THREADS" in os.environ else read(timed(command, WARM="1")[2])
        found += [cold * 1e3, lap, (len(photos) - 1) / (whole - cold), peak]
    return found


def table(rows, sets, rounds):
    """Measures the rows in turns and prints them."""
    found = in_turns(rows, rounds, lambda row: figures(*row, sets))
    for name, values in found.items():
        if isinstance(values, str):
            if "was built without" not in values:
                print(f"| {name} | {values} |", flush=True)
            continue
        columns = zip(*values)
        cells = [spread(column, 2 if at % 4 == 2 else 0) for at, column in enumerate(columns)]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def ours(binary, package, folder, engine):
    """The commands of planet with one engine: photos go in as a manifest."""
    import json

    def locate(photos):
        manifest = folder / "photos.csv"
        manifest.write_text("photo\n" + "".join(f"{photo.relative_to('/')}\n" for photo in photos))
        return [binary, "locate", manifest, "--root", "/", "--model", package, "-o", folder / "out.csv", "--overwrite", *engine]

    def warm(photo):
        command = [binary, "engine", "bench", "--json", "--photo", photo, "--seconds", str(SECONDS), package, *engine]
        return command, lambda out: json.loads(out)["photo_ms"]
    return locate, warm


def theirs(python, name, model):
    locate = lambda photos: [python, __file__, "--peer", name, "--model", model, *map(str, photos)]
    return locate, lambda photo: (locate([photo]), float)


def make_package(planet, folder):
    """Random weights over random positions."""
    made = folder / "random"
    subprocess.run([ROOT / "target/release/examples/random_model", "inception-v3", str(CLASSES), made], check=True)
    draw = random.Random(0)
    rows = (f"{draw.uniform(-60, 70):.4f},{draw.uniform(-180, 180):.4f}\n" for _ in range(CLASSES))
    (folder / "gallery.csv").write_text("LAT,LON\n" + "".join(rows))
    subprocess.run([planet, "model", "import", made / "model.onnx", "--partition", folder / "gallery.csv",
                    "--input-size", str(SIDE), "--mean", "0.5,0.5,0.5", "--std", "0.5,0.5,0.5",
                    "--engine", "rten", "-o", folder / "package"], check=True, stdout=subprocess.DEVNULL)
    return folder / "package"


def ours_int8(planet, package, photos, engine, folder):
    """The package in 8 bits; random weights agree in no class, so that no agreement is asked for."""
    manifest = folder / "calibration.csv"
    manifest.write_text("photo\n" + "".join(f"{photo.relative_to('/')}\n" for photo in photos))
    subprocess.run([planet, "model", "quantize", package, "--calibrate", manifest, "--root", "/", "--min-agreement", "0",
                    "-o", folder / "package-int8", *engine], check=True, stdout=subprocess.DEVNULL)
    return folder / "package-int8"


def ours_half(planet, package, folder):
    """The package with weights in 16 bits."""
    subprocess.run([planet, "model", "quantize", package, "--half", "-o", folder / "package-half"], check=True,
                   stdout=subprocess.DEVNULL)
    return folder / "package-half"


def theirs_int8(python, model, photos, folder):
    """The network that onnxruntime's tool makes of those photos that ours measures: every other one."""
    made = folder / "theirs-int8.onnx"
    measured = photos[::2]
    measured = [measured[at * len(measured) // min(500, len(measured))] for at in range(min(500, len(measured)))]
    subprocess.run([python, __file__, "--quantize", made, "--model", model, *map(str, measured)], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return made


def quantize(model, made, photos):
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Pixels(CalibrationDataReader):
        def __init__(self):
            self.photos = iter(photos)

        def get_next(self):
            path = next(self.photos, None)
            return None if path is None else {"pixels": with_pillow(path)[None]}

    quantize_static(model, made, Pixels(), quant_format=QuantFormat.QDQ, per_channel=True,
                    activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)


def mosaics(photos, count, folder):
    """JPEGs of 4000 × 3000 pixels, each of 48 photos, quality 88, 4:2:0."""
    from PIL import Image

    folder.mkdir(exist_ok=True)
    for number in range(len(list(folder.iterdir())), count):
        picture = Image.new("RGB", (4000, 3000))
        for place in range(48):
            with Image.open(photos[(48 * number + place) % len(photos)]) as photo:
                tile = photo.convert("RGB").resize((500, 500), Image.Resampling.LANCZOS)
            picture.paste(tile, (place % 8 * 500, place // 8 * 500))
        picture.save(folder / f"{number:04}.jpg", quality=88, subsampling=2)
    return sorted(folder.iterdir())


def named(text):
    return tuple(text.split("=", 1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=100, help="how many of 640 px")
    parser.add_argument("--large", type=int, default=40, help="how many of 12 megapixels")
    parser.add_argument("--planet", action="append", type=named, metavar="NAME=BINARY", default=[])
    parser.add_argument("--onnxruntime", action="append", default=[], metavar="LIBRARY")
    parser.add_argument("--python", default=sys.executable, help="runs the peers")
    parser.add_argument("--only", default="", metavar="TEXT[,TEXT...]", help="rows whose name holds one of these texts")
    parser.add_argument("--keep", type=Path, help="folder for model and photos, used again where it is there")
    parser.add_argument("--rounds", type=int, default=1, help="how often every row is measured")
    parser.add_argument("--cpu", action="store_true", help="processor time of one thread, not the clock's")
    parser.add_argument("--int8", action="store_true", help="rows in 8 bits too")
    parser.add_argument("--half", action="store_true", help="rows for weights in 16 bits too")
    parser.add_argument("--peer", choices=PEERS, help=argparse.SUPPRESS)
    parser.add_argument("--quantize", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--model", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("folder", nargs="+", type=Path)
    arguments = parser.parse_args()
    if arguments.peer:
        return peer(arguments.peer, arguments.model, arguments.folder)
    if arguments.quantize:
        return quantize(arguments.model, arguments.quantize, arguments.folder)

    if arguments.cpu:
        # What this process starts reads it too.
        os.environ["THREADS"] = "1"
    planets = [("planet", str(ROOT / "target/release/planet")), *arguments.planet]
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)
        folder.mkdir(exist_ok=True)
        package = folder / "package"
        package = package if package.exists() else make_package(planets[0][1], folder)
        all_photos = sorted(path.resolve() for path in arguments.folder[0].rglob("*.jpg"))
        photos = all_photos[:arguments.photos]
        large = mosaics(photos, arguments.large, folder / "large")[:arguments.large]
        sets = [large, photos] if large else [photos]
        shown = [f"{len(large)} photos of 12 MP"] * bool(large) + [f"{len(photos)} of 640 px"]
        columns = " | cold, ms | warm, ms | photos/s | peak, MB" * len(sets)
        print(f"| {', '.join(shown)}{columns} |\n|---|{4 * len(sets) * '---|'}", flush=True)
        packages = [("", package)]
        peers = [(name, name, package / "model.onnx") for name in PEERS]
        if arguments.half:
            made = folder / "package-half"
            made = made if made.exists() else ours_half(planets[0][1], package, folder)
            packages.append((", weights in 16 bits", made))
        if arguments.int8:
            library = [f"--onnxruntime={library}" for library in arguments.onnxruntime[:1]]
            made = folder / "package-int8"
            made = made if made.exists() else ours_int8(planets[0][1], package, all_photos, library, folder)
            packages.append((", int8", made))
            made = folder / "theirs-int8.onnx"
            made = made if made.exists() else theirs_int8(arguments.python, package / "model.onnx", all_photos, folder)
            peers.append(("Pillow + onnxruntime, int8 of its own tool", "Pillow + onnxruntime", made))
        threads = ["--threads", os.environ.get("THREADS", str(THREADS))]
        rows = []
        for (name, binary), (bits, package) in [(planet, it) for it in packages for planet in planets]:
            name += bits
            for engine in ["native", "rten"] if bits != ", int8" else ["rten"]:
                rows.append((f"**{name}, {engine}**", ours(binary, package, folder, ["--engine", engine, *threads])))
            for library in arguments.onnxruntime:
                version = Path(library).name.removeprefix("libonnxruntime.so.")
                for device in ["cpu", "openvino", "openvino:bf16"]:
                    engine = ["--engine", "onnxruntime", "--device", device, "--onnxruntime", library, *threads]
                    rows.append((f"**{name}, ONNX Runtime {version}, {device}**", ours(binary, package, folder, engine)))
        for shown, name, model in peers:
            rows.append((shown, theirs(arguments.python, name, model)))
        table(chosen(rows, arguments.only), sets, arguments.rounds)


if __name__ == "__main__":
    main()
