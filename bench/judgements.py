#!/usr/bin/env python3
"""How well the photo score separates photographs from graphics, and the perceptual hash copies from other photos.

Needs `pip install pillow`.
Usage: bench/judgements.py PLANET FOLDER... [--graphics FOLDER] [--sample 100]
    FOLDER      real photos; `planet world draw --non-photos` generates the graphics
    --graphics  images that are not photographs, to be scored as well

Of each folder a sample is recompressed, resized, cropped and toned; the distances of these copies to
the photo, and of the photos to one another, are given as quantiles.
"""

import argparse
import bisect
import csv
import itertools
import random
import subprocess
import tempfile
from pathlib import Path

from PIL import Image, ImageEnhance


def planet(binary: str, *arguments: object) -> None:
    command = [binary, *map(str, arguments)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def enriched(binary: str, folder: Path, at: Path) -> list[dict[str, str]]:
    planet(binary, "dataset", "scan", folder, "-o", at / "scan.csv", "--overwrite")
    planet(binary, "dataset", "enrich", at / "scan.csv", "--hash", "--photo-score", "-o", at / "e.csv", "--overwrite")
    return rows(at / "e.csv")


def area(above: list[float], below: list[float]) -> float:
    """Share of pairs in which the first one's score is the greater; equal ones count half."""
    below = sorted(below)
    wins = (bisect.bisect_left(below, x) + bisect.bisect_right(below, x) for x in above)
    return sum(wins) / 2 / len(above) / len(below)


def scores(binary: str, folders: list[Path], graphics_folder: Path | None, at: Path) -> None:
    planet(binary, "world", "draw", "--photos", 1200, "--non-photos", 0.3, "--size", 256, "-o", at / "drawn")
    kinds = {row["photo"]: row["kind"] for row in rows(at / "drawn/truth.csv")}
    groups: dict[str, list[float]] = {}
    for row in enriched(binary, at / "drawn", at):
        groups.setdefault(f"synthetic {kinds[row['photo']]}", []).append(float(row["photo_score"]))
    graphics = [x for kind, all in groups.items() if kind != "synthetic photo" for x in all]
    real = []
    for folder in folders:
        groups[folder.name] = [float(row["photo_score"]) for row in enriched(binary, folder, at)]
        real += groups[folder.name]
    if graphics_folder:
        rows_of = enriched(binary, graphics_folder, at)
        groups["graphics"] = [float(row["photo_score"]) for row in rows_of if row["photo_score"]]
    print("| pictures | number | median score | kept at 0.5 |\n|---|---|---|---|")
    for name, all in groups.items():
        kept = sum(x >= 0.5 for x in all) / len(all)
        print(f"| {name} | {len(all)} | {sorted(all)[len(all) // 2]:.2f} | {kept:.1%} |")
    print(f"\nreal photos against synthetic graphics: AUC {area(real, graphics):.4f}, "
          f"synthetic photos: {area(groups['synthetic photo'], graphics):.4f}\n")


def copies(photo: Image.Image) -> dict[str, tuple[Image.Image, int]]:
    width, height = photo.size
    margin = lambda share: (round(width * share / 2), round(height * share / 2))

    def cropped(share: float) -> Image.Image:
        x, y = margin(share)
        return photo.crop((x, y, width - x, height - y))

    gains = (1.1, 1.0, 0.85)
    bands = [band.point(lambda v, gain=gain: min(255, int(v * gain)))
             for band, gain in zip(photo.split(), gains)]
    return {
        "photo": (photo, 95),
        "quality 50": (photo, 50),
        "quality 20": (photo, 20),
        "half the size": (photo.resize((width // 2, height // 2), Image.BICUBIC), 90),
        "a quarter of the size": (photo.resize((width // 4, height // 4), Image.BICUBIC), 90),
        "grey": (photo.convert("L").convert("RGB"), 90),
        "warmer": (Image.merge("RGB", bands), 90),
        "contrast + 30 %": (ImageEnhance.Contrast(photo).enhance(1.3), 90),
        "brightness + 25 %": (ImageEnhance.Brightness(photo).enhance(1.25), 90),
        "cropped by 2 %, centred": (cropped(0.02), 90),
        "cropped by 4 %, centred": (cropped(0.04), 90),
        "cropped by 4 % on one side": (photo.crop((0, 0, width - round(width * 0.04), height)), 90),
        "cropped by 8 %, centred": (cropped(0.08), 90),
    }


def distances(binary: str, folders: list[Path], sample: int, at: Path) -> None:
    chosen = random.Random(0)
    photos = [path for folder in folders
              for path in chosen.sample(sorted(folder.glob("*.jpg")), sample)]
    varied = at / "varied"
    varied.mkdir()
    for number, path in enumerate(photos):
        with Image.open(path) as photo:
            for kind, (copy, quality) in copies(photo.convert("RGB")).items():
                copy.save(varied / f"{number:05d}.{kind}.jpg", quality=quality)
    hashes: dict[str, dict[str, int]] = {}
    for row in enriched(binary, varied, at):
        number, kind = row["photo"].removesuffix(".jpg").split(".", 1)
        hashes.setdefault(kind, {})[number] = int(row["perceptual_hash"], 16)
    originals = hashes.pop("photo")
    print("| pair | number | median | 95 % | 99 % | within 20 | within 31 | within 47 | within 63 |")
    print("|---|---|---|---|---|---|---|---|---|")
    for kind, others in hashes.items():
        line(f"photo and its copy: {kind}", [(originals[n] ^ h).bit_count() for n, h in others.items()])
    apart = [(a ^ b).bit_count() for a, b in itertools.combinations(originals.values(), 2)]
    line("different photos", apart)
    print(f"\nnearest different photos: {sorted(apart)[:8]} bits apart")


def line(name: str, values: list[int]) -> None:
    values = sorted(values)
    at = lambda share: values[int(len(values) * share)]
    within = " | ".join(f"{bisect.bisect_right(values, d) / len(values):.2%}" for d in (20, 31, 47, 63))
    print(f"| {name} | {len(values)} | {at(0.5)} | {at(0.95)} | {at(0.99)} | {within} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("planet")
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--graphics", type=Path)
    parser.add_argument("--sample", type=int, default=100)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as at:
        scores(arguments.planet, arguments.folders, arguments.graphics, Path(at))
        distances(arguments.planet, arguments.folders, arguments.sample, Path(at))


if __name__ == "__main__":
    main()
