#!/usr/bin/env python3
"""Makes tests/golden/rare: JPEGs of rare kinds by libjpeg-turbo's cjpeg, and what its djpeg decodes
them to; TIFFs of rare kinds by libtiff's tiffcp, and the pixels that they were made of.

Needs pillow, and the programs of the Debian packages libjpeg-turbo-progs and libtiff-tools.
Usage: python3 make_rare.py
"""

import struct
import subprocess
from pathlib import Path

from PIL import Image

HERE = Path(__file__).resolve().parent / "rare"
WIDTH, HEIGHT = 75, 51

JPEGS = {
    "arithmetic": ["-arithmetic"],
    "arithmetic-restarts": ["-arithmetic", "-restart", "3B"],
    "arithmetic-progressive": ["-arithmetic", "-progressive"],
    "sampling-3x1": ["-sample", "3x1,1x1,1x1"],
    "sampling-1x3": ["-sample", "1x3,1x1,1x1"],
    "sampling-2x2-2x1": ["-sample", "2x2,2x1,2x1"],
    "sampling-1x1-2x2": ["-sample", "1x1,2x2,2x2"],
    "sampling-progressive-3x1": ["-progressive", "-sample", "3x1,1x1,1x1"],
    "scans-420": ["-sample", "2x2", "-scans", "0;1;2;"],
    "scans-chroma-first": ["-sample", "2x2", "-scans", "1 2;0;"],
    "scans-422-restarts": ["-sample", "2x1", "-restart", "2B", "-scans", "2;0;1;"],
    "progressive-restarts": ["-progressive", "-restart", "3B"],
}

TIFFS = {
    "planar-tiled.tif": ["-p", "separate", "-t", "-w", "32", "-l", "16", "-c", "lzw"],
    "planar-strips.tif": ["-p", "separate", "-r", "7", "-c", "zip:2"],
    "fill-order.tif": ["-f", "lsb2msb", "-c", "lzw:2"],
    "fill-order-plain.tif": ["-f", "lsb2msb", "-c", "none"],
    "pack-bits.tif": ["-c", "packbits", "-r", "5"],
    "big.tif": ["-8", "-t", "-w", "16", "-l", "16", "-c", "zip"],
    "big-endian.tif": ["-B", "-8", "-c", "lzw:2"],
}


def drawn():
    picture = Image.new("RGB", (WIDTH, HEIGHT))
    for y in range(HEIGHT):
        for x in range(WIDTH):
            edge = 60 if (x - 30) ** 2 + (y - 20) ** 2 < 150 else 0
            picture.putpixel((x, y), (3 * x + edge // 2, 4 * y + edge // 2, 200 - 2 * x + edge))
    return picture


def pixels(name, picture):
    head = struct.pack("<2I", picture.width, picture.height)
    (HERE / f"{name}.rgb").write_bytes(head + picture.convert("RGB").tobytes())


def main():
    HERE.mkdir(exist_ok=True)
    picture, ppm = drawn(), HERE / "drawn.ppm"
    picture.save(ppm)
    for name, options in JPEGS.items():
        options, scans = list(options), HERE / "scans.txt"
        if "-scans" in options:
            at = options.index("-scans") + 1
            scans.write_text(options[at])
            options[at] = str(scans)
        jpeg = subprocess.run(["cjpeg", "-quality", "90", *options, ppm], check=True, stdout=-1)
        (HERE / f"{name}.jpg").write_bytes(jpeg.stdout)
        decoded = HERE / "decoded.ppm"
        subprocess.run(["djpeg", "-outfile", decoded, HERE / f"{name}.jpg"], check=True)
        with Image.open(decoded) as opened:
            pixels(f"{name}.jpg", opened)
        decoded.unlink()
        scans.unlink(missing_ok=True)
    plain = HERE / "plain.tif"
    picture.save(plain)
    for name, options in TIFFS.items():
        subprocess.run(["tiffcp", *options, plain, HERE / name], check=True)
    pixels("drawn.tif", picture)
    plain.unlink()
    ppm.unlink()


if __name__ == "__main__":
    main()
