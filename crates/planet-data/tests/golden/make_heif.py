#!/usr/bin/env python3
"""Makes tests/golden/heif: small synthetic photos as HEIC and AVIF, and what Pillow decodes them to.

Needs pillow (with AVIF), pillow-heif, numpy and torchvision. Usage: python3 make_heif.py
"""

import numpy as np
import pillow_heif
from PIL import Image, ImageOps

from make_photos import HERE, drawn, on_white

pillow_heif.register_heif_opener()


def save(name, image, **options):
    path = HERE / "heif" / name
    image.save(path, **options)
    with Image.open(path) as opened:
        # Where the container turns the pixels, the plugins keep the turn as an EXIF tag.
        expected = ImageOps.exif_transpose(opened)
        expected = on_white(expected) if expected.mode == "RGBA" else expected.convert("RGB")
    head = np.array([expected.width, expected.height], dtype="<u4").tobytes()
    path.with_suffix(path.suffix + ".rgb").write_bytes(head + expected.tobytes())


def main():
    photo = drawn(44, 30)
    alpha = photo.copy()
    alpha.putalpha(Image.linear_gradient("L").resize(photo.size))
    exif = Image.Exif()
    exif[0x0112] = 6
    # Colour at full size in AVIF, since the two libraries enlarge it in different ways.
    for ending, options in (("heic", {}), ("avif", {"subsampling": "4:4:4"})):
        save(f"photo.{ending}", photo, quality=90, **options)
        save(f"turned.{ending}", photo, quality=90, exif=exif.tobytes(), **options)
        save(f"alpha.{ending}", alpha, quality=90, **options)


if __name__ == "__main__":
    main()
