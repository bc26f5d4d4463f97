#!/usr/bin/env python3
"""Photos to tensors of 299 px: PlaNet beside Pillow, OpenCV and a torchvision DataLoader, one run.

Needs `pip install pillow opencv-python-headless torch torchvision` and the example, once as it is
and once, copied elsewhere, with libjpeg-turbo:
    cargo build --release --workspace --example photo_speed [--features planet-data/turbojpeg]
Usage: bench/photos.py PHOTO_SPEED FOLDER [--turbojpeg PHOTO_SPEED] [--workers 2] [--rounds 3]
    PHOTO_SPEED  target/release/examples/photo_speed
    FOLDER       photos for the loaders, e.g. drawn by `planet world draw --photos 2000 --size 640`

The JPEG of 12 megapixels is made from the folder's photos, a mosaic enlarged and encoded at
quality 88, 4:2:0. One core for all of the first table: every peer is held to one thread. The loaders
take turns; the best round of each counts. Their processor time hardly depends on what else runs.
"""

import argparse
import csv
import io
import os
import resource
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

os.environ.update({"OMP_NUM_THREADS": "1", "OPENCV_FOR_THREADS_NUM": "1"})

import cv2
import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

ROUNDS = 25
SIDE = 299


def mosaic(photos: list[Path]) -> bytes:
    """4000 × 3000 pixels of 48 photos."""
    picture = Image.new("RGB", (4000, 3000))
    for place in range(48):
        with Image.open(photos[place % len(photos)]) as photo:
            tile = photo.convert("RGB").resize((500, 500), Image.Resampling.LANCZOS)
        picture.paste(tile, (place % 8 * 500, place // 8 * 500))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=88, subsampling=2)
    return out.getvalue()


def tensor(pixels: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(pixels.transpose(2, 0, 1), dtype=np.float32) / 127.5 - 1.0


def with_pillow(jpeg: bytes, draft: bool) -> np.ndarray:
    photo = Image.open(io.BytesIO(jpeg))
    if draft:
        photo.draft("RGB", (SIDE, SIDE))
    small = photo.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return tensor(np.asarray(small))


def with_opencv(jpeg: bytes, flag: int) -> np.ndarray:
    pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), flag)
    small = cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return tensor(cv2.cvtColor(small, cv2.COLOR_BGR2RGB))


def median_ms(function) -> float:
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        function()
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


class Photos(Dataset):
    def __init__(self, paths: list[Path]):
        self.paths = paths
        self.transform = v2.Compose([
            v2.Resize((SIDE, SIDE), antialias=True), v2.PILToTensor(),
            v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.5] * 3, [0.5] * 3)])

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> torch.Tensor:
        with Image.open(self.paths[index]) as photo:
            return self.transform(photo.convert("RGB"))


def torch_loader(paths: list[Path], workers: int) -> float:
    """Photos a second."""
    start = time.perf_counter()
    loader = DataLoader(Photos(paths), batch_size=32, shuffle=True, num_workers=workers)
    loaded = sum(len(batch) for batch in loader)
    return loaded / (time.perf_counter() - start)


def measured(*command: str) -> float:
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def processor_seconds() -> float:
    """Of this process and of those that it started and that have ended."""
    return sum(used.ru_utime + used.ru_stime for used in
               map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def loaders(candidates: dict, photos: int, rounds: int) -> None:
    """Photos a second, and a second of processor time, of functions that load all photos."""
    best = {name: (0.0, 0.0) for name in candidates}
    for _ in range(rounds):
        for name, load in candidates.items():
            before = processor_seconds()
            rate = load()
            used = processor_seconds() - before
            best[name] = max(best[name][0], rate), max(best[name][1], photos / used)
    own = best["planet"]
    print("| | photos/s | planet is faster by | photos per processor second | by |\n|---|---|---|---|---|")
    for name, (rate, per_used) in best.items():
        print(f"| {name} | {rate:.0f} | {own[0] / rate:.2f} | {per_used:.0f} | {own[1] / per_used:.2f} |")


def write_manifest(path: Path, root: Path, photos: list[Path]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        file.write(f"# root={root}\n")
        rows = csv.writer(file)
        rows.writerow(["photo"])
        rows.writerows([photo.relative_to(root)] for photo in photos)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("photo_speed")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--turbojpeg", metavar="PHOTO_SPEED")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    root = arguments.folder.resolve()
    paths = sorted(root.rglob("*.jpg"))
    own = {"planet": arguments.photo_speed}
    if arguments.turbojpeg:
        own["planet, turbojpeg"] = arguments.turbojpeg
    jpeg = mosaic(paths)
    with tempfile.TemporaryDirectory() as at:
        photo, manifest = Path(at) / "photo.jpg", Path(at) / "photos.csv"
        photo.write_bytes(jpeg)
        write_manifest(manifest, root, paths)
        times = {name: measured(binary, "tensor", str(photo)) for name, binary in own.items()}
        times |= {
            "Pillow, full": median_ms(lambda: with_pillow(jpeg, False)),
            "Pillow, draft": median_ms(lambda: with_pillow(jpeg, True)),
            "OpenCV, full": median_ms(lambda: with_opencv(jpeg, cv2.IMREAD_COLOR)),
            "OpenCV, reduced by 8": median_ms(lambda: with_opencv(jpeg, cv2.IMREAD_REDUCED_COLOR_8)),
        }
        print(f"JPEG of 12 MP, {len(jpeg) / 1e6:.1f} MB, to {SIDE} px, one core")
        print("| | ms | times planet |\n|---|---|---|")
        for name, value in times.items():
            print(f"| {name} | {value:.1f} | {value / times['planet']:.2f} |")
        workers = str(arguments.workers)
        candidates = {name: lambda binary=binary: measured(binary, "loader", str(manifest), workers)
                      for name, binary in own.items()}
        candidates["torchvision, Pillow"] = lambda: torch_loader(paths, arguments.workers)
        print(f"\nloader, {len(paths)} photos to {SIDE} px, {workers} workers, best of {arguments.rounds}")
        loaders(candidates, len(paths), arguments.rounds)


if __name__ == "__main__":
    main()
