#!/usr/bin/env python3
"""Photos to tensors of 299 px: PlaNet beside Pillow, OpenCV and a torchvision DataLoader, one run.

Needs `pip install pillow opencv-python-headless torch torchvision` and the example:
    cargo build --release --workspace --example photo_speed
Usage: bench/photos.py PHOTO_SPEED FOLDER [--workers 2]
    PHOTO_SPEED  target/release/examples/photo_speed
    FOLDER       photos for the loaders, e.g. drawn by `planet world draw --photos 2000 --size 640`

The JPEG of 12 megapixels is made from the folder's photos, a mosaic enlarged and encoded at
quality 88, 4:2:0. One core for all of the first table: every peer is held to one thread.
"""

import argparse
import csv
import io
import os
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
    start = time.perf_counter()
    loader = DataLoader(Photos(paths), batch_size=32, shuffle=True, num_workers=workers)
    loaded = sum(len(batch) for batch in loader)
    return loaded / (time.perf_counter() - start)


def measured(*command: str) -> float:
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("photo_speed")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    paths = sorted(arguments.folder.resolve().rglob("*.jpg"))
    jpeg = mosaic(paths)
    with tempfile.TemporaryDirectory() as at:
        photo, manifest = Path(at) / "photo.jpg", Path(at) / "photos.csv"
        photo.write_bytes(jpeg)
        with manifest.open("w", newline="", encoding="utf-8") as file:
            file.write(f"# root={arguments.folder.resolve()}\n")
            rows = csv.writer(file)
            rows.writerow(["photo"])
            rows.writerows([path.relative_to(arguments.folder.resolve())] for path in paths)
        own = measured(arguments.photo_speed, "tensor", str(photo))
        times = {
            "planet": own,
            "Pillow, full": median_ms(lambda: with_pillow(jpeg, False)),
            "Pillow, draft": median_ms(lambda: with_pillow(jpeg, True)),
            "OpenCV, full": median_ms(lambda: with_opencv(jpeg, cv2.IMREAD_COLOR)),
            "OpenCV, reduced by 8": median_ms(lambda: with_opencv(jpeg, cv2.IMREAD_REDUCED_COLOR_8)),
        }
        print(f"JPEG of 12 MP, {len(jpeg) / 1e6:.1f} MB, to 299 px, one core")
        print("| | ms | times planet |\n|---|---|---|")
        for name, value in times.items():
            print(f"| {name} | {value:.1f} | {value / own:.2f} |")
        planet = measured(arguments.photo_speed, "loader", str(manifest), str(arguments.workers))
        peer = torch_loader(paths, arguments.workers)
        print(f"\nloader, {len(paths)} photos, {arguments.workers} workers: planet {planet:.0f} photos/s, "
              f"torchvision {peer:.0f} photos/s, ratio {planet / peer:.2f}")


if __name__ == "__main__":
    main()
