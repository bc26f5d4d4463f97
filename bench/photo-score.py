#!/usr/bin/env python3
"""How well the photo score tells photographs from graphics that real programs made.

Needs `pip install pillow`.
Usage: bench/photo-score.py PLANET GRAPHICS --photos FOLDER... [--synthetic 1200] [--sample 400]
    GRAPHICS     folder written by bench/draw-graphics.py: `kind-00.png`
    --photos     real photographs
    --synthetic  photos of `planet world draw`, scored beside them
    --sample     real photographs of which changed copies are scored: grey, dark, enlarged, recompressed

Pictures with an even number of the kinds in SEEN were used to design the score. The others were not:
they give the last column.
"""

import argparse
import csv
import random
import subprocess
import tempfile
from pathlib import Path

from PIL import Image, ImageEnhance

THRESHOLD = 0.5
SEEN = {"page_text", "page_photos", "chat", "document", "plot", "terminal", "scan", "meme"}


def scores(planet: str, folder: Path, work: Path) -> dict[str, float]:
    for command in (["scan", folder, "-o", work / "scan.csv"],
                    ["enrich", work / "scan.csv", "--photo-score", "-o", work / "scores.csv"]):
        subprocess.run([planet, "dataset", *command, "--overwrite"], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
    with (work / "scores.csv").open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return {row["photo"]: float(row["photo_score"]) for row in rows if row["photo_score"]}


def changed(photo: Image.Image) -> dict[str, tuple[Image.Image, int]]:
    width, height = photo.size
    framed = Image.new("RGB", (width + width // 8, height + height // 8), "white")
    framed.paste(photo, (width // 16, height // 16))
    return {
        "grey": (photo.convert("L").convert("RGB"), 90),
        "dark (brightness a quarter)": (ImageEnhance.Brightness(photo).enhance(0.25), 90),
        "JPEG quality 20": (photo, 20),
        "twice as large": (photo.resize((2 * width, 2 * height), Image.BICUBIC), 90),
        "a third as large": (photo.resize((width // 3, height // 3), Image.LANCZOS), 90),
        "with a white border": (framed, 90),
    }


def line(name: str, values: list[float], below: bool, unseen: list[float] | None = None) -> None:
    values = sorted(values)
    right = lambda values: f"{sum((x < THRESHOLD) == below for x in values) / len(values):.1%}" if values else "–"
    cells = [name, str(len(values)), f"{values[len(values) // 2]:.2f}", right(values)]
    if unseen is not None:
        cells.append(f"{right(unseen)} of {len(unseen)}")
    print("| " + " | ".join(cells) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("planet")
    parser.add_argument("graphics", type=Path)
    parser.add_argument("--photos", type=Path, nargs="+", required=True)
    parser.add_argument("--synthetic", type=int, default=1200)
    parser.add_argument("--sample", type=int, default=400)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        kinds: dict[str, list[tuple[float, bool]]] = {}
        for name, score in scores(arguments.planet, arguments.graphics, work).items():
            kind, number = name.split(".")[0].rsplit("-", 1)
            kinds.setdefault(kind, []).append((score, kind not in SEEN or int(number) % 2 == 1))
        print("| graphics | number | median score | recognised | recognised, unseen |\n|---|---|---|---|---|")
        for kind, all in sorted(kinds.items(), key=lambda it: (it[0] not in SEEN, it[0])):
            line(kind, [score for score, _ in all], True, [score for score, unseen in all if unseen])
        graphics = [pair for all in kinds.values() for pair in all]
        unseen = [score for score, unseen in graphics if unseen]
        line("all", [score for score, _ in graphics], True, unseen)

        print("\n| photographs | number | median score | kept |\n|---|---|---|---|")
        real: list[float] = []
        for folder in arguments.photos:
            own = list(scores(arguments.planet, folder, work).values())
            line(folder.name, own, False)
            real += own
        line("all real", real, False)
        drawn = work / "drawn"
        subprocess.run([arguments.planet, "world", "draw", "--photos", str(arguments.synthetic), "--size", "256", "-o",
                        drawn], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        line("synthetic, 256 px", list(scores(arguments.planet, drawn, work).values()), False)
        paths = [path for folder in arguments.photos for path in sorted(folder.rglob("*.jpg"))]
        copies: dict[str, Path] = {}
        for number, path in enumerate(random.Random(0).sample(paths, min(arguments.sample, len(paths)))):
            with Image.open(path) as photo:
                for kind, (copy, quality) in changed(photo.convert("RGB")).items():
                    folder = copies.setdefault(kind, work / f"copies-{len(copies)}")
                    folder.mkdir(exist_ok=True)
                    copy.save(folder / f"{number:04d}.jpg", quality=quality)
        for kind, folder in copies.items():
            line(f"real, {kind}", list(scores(arguments.planet, folder, work).values()), False)

        lost = sum(score < THRESHOLD for score in real)
        for name, found in [("all graphics", [score for score, _ in graphics]), ("unseen graphics", unseen)]:
            hits = sum(score < THRESHOLD for score in found)
            print(f"\n{name} among the real photographs: precision {hits / max(hits + lost, 1):.1%}, "
                  f"recall {hits / len(found):.1%}")


if __name__ == "__main__":
    main()
