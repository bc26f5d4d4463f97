#!/usr/bin/env python3
"""Makes tests/golden/photos and tests/golden/preprocess: small synthetic photos in every format
and shape, what Pillow decodes them to, and what Pillow and torchvision resize them to.

Needs pillow, numpy, opencv-python-headless and torchvision.
Usage: python3 make_photos.py
"""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps
from torchvision import transforms

HERE = Path(__file__).resolve().parent


def drawn(width, height, seed=0):
    """Smooth slopes, a few edges and a little noise: neither flat nor hostile to JPEG."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    red = 127 + 100 * np.sin(x / width * 5)
    green = 255 * y / height
    blue = np.where((x - width / 2) ** 2 + (y - height / 2) ** 2 < (height / 4) ** 2, 220, 60)
    noise = np.random.default_rng(seed).normal(0, 4, (height, width, 3))
    pixels = np.stack([red, green, blue], axis=-1) + noise
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8), "RGB")


def save(name, image, expected=None, **options):
    path = HERE / "photos" / name
    image.save(path, **options)
    if expected is None:
        with Image.open(path) as opened:
            expected = ImageOps.exif_transpose(opened).convert("RGB")
    head = np.array([expected.width, expected.height], dtype="<u4").tobytes()
    path.with_suffix(path.suffix + ".rgb").write_bytes(head + expected.tobytes())


def pillows(name):
    """Writes beside a photo what Pillow decodes it to, upright and over white."""
    with Image.open(HERE / "photos" / name) as opened:
        upright = ImageOps.exif_transpose(opened)
    head = np.array(upright.size, dtype="<u4").tobytes()
    (HERE / "photos" / f"{name}.rgb").write_bytes(head + on_white(upright).tobytes())


def rare():
    """What Pillow reads but does not write: rarer subsamplings, YCCK, deep colours."""
    photo = drawn(44, 30, seed=3)
    bgr = np.ascontiguousarray(np.asarray(photo)[:, :, ::-1])
    for name in ("411", "440"):
        factor = getattr(cv2, f"IMWRITE_JPEG_SAMPLING_FACTOR_{name}")
        options = [cv2.IMWRITE_JPEG_QUALITY, 90, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor]
        cv2.imwrite(str(HERE / f"photos/{name}.jpg"), bgr, options)
    cv2.imwrite(str(HERE / "photos/deep-colour.png"), bgr.astype(np.uint16) * 257)
    cv2.imwrite(str(HERE / "photos/deep-colour.tif"), bgr.astype(np.uint16) * 257)
    save("adobe-rgb.jpg", photo, quality=90, keep_rgb=True)
    # The four channels of YCCK under CMYK's name; then Adobe's marker tells what they are.
    ycc = np.asarray(photo.convert("YCbCr"))
    black = np.full((*ycc.shape[:2], 1), 40, dtype=np.uint8)
    inks = np.concatenate([ycc, black], axis=-1)
    path = HERE / "photos/ycck.jpg"
    Image.fromarray(inks, "CMYK").save(path, quality=95)
    jpeg = bytearray(path.read_bytes())
    jpeg[jpeg.index(b"Adobe") + 11] = 2
    path.write_bytes(jpeg)
    palette = photo.quantize(40)
    palette.save(HERE / "photos/palette-alpha.png", transparency=bytes(range(0, 240, 6)))
    alpha = photo.convert("LA")
    alpha.putalpha(Image.linear_gradient("L").resize(photo.size))
    alpha.save(HERE / "photos/grey-alpha.png")
    photo.convert("1").save(HERE / "photos/bilevel.png")
    photo.convert("CMYK").save(HERE / "photos/inks.tif", compression="tiff_lzw")
    palette.save(HERE / "photos/palette.tif")
    photo.convert("L").save(HERE / "photos/grey.tif", compression="packbits")
    for name in ("411.jpg", "440.jpg", "ycck.jpg", "palette-alpha.png", "grey-alpha.png",
                 "bilevel.png", "inks.tif", "grey.tif"):
        pillows(name)
    for ending in ("png", "tif"):
        # Pillow reads no deep colours: the bytes above are the truth.
        head = np.array(photo.size, dtype="<u4").tobytes()
        (HERE / f"photos/deep-colour.{ending}.rgb").write_bytes(head + photo.tobytes())


def orientations():
    """All eight in the containers beside JPEG that carry them."""
    photo = drawn(11, 7, seed=4)
    for tag in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = tag
        save(f"orientation-{tag}.png", photo, exif=exif)
        save(f"orientation-{tag}.webp", photo, exif=exif, lossless=True)
        save(f"orientation-{tag}.tif", photo, tiffinfo={0x0112: tag}, compression="tiff_lzw")


def on_white(image):
    rgba = image.convert("RGBA")
    white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, rgba).convert("RGB")


def photos():
    photo = drawn(44, 30)
    for name, subsampling in (("444", 0), ("422", 1), ("420", 2)):
        save(f"{name}.jpg", photo, quality=90, subsampling=subsampling)
    save("progressive.jpg", photo, quality=90, progressive=True)
    save("restarts.jpg", photo, quality=90, restart_marker_blocks=2)
    save("grey.jpg", photo.convert("L"), quality=90)
    save("cmyk.jpg", photo.convert("CMYK"), quality=95)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        save(f"orientation-{orientation}.jpg", photo, quality=90, subsampling=0, exif=exif)
    save("rgb.png", photo)
    save("palette.png", photo.quantize(40))
    save("grey.png", photo.convert("L"))
    deep = np.asarray(photo.convert("L")).astype(np.uint16) * 257
    save("deep.png", Image.fromarray(deep), photo.convert("L").convert("RGB"))
    alpha = photo.copy()
    alpha.putalpha(Image.linear_gradient("L").resize(photo.size))
    save("alpha.png", alpha, on_white(alpha))
    exif = Image.Exif()
    exif[0x0112] = 6
    save("turned.png", photo, exif=exif)
    save("turned.webp", photo, exif=exif, lossless=True)
    save("turned.tif", photo, tiffinfo={0x0112: 6}, compression="tiff_lzw")
    save("lossy.webp", photo, quality=90)
    save("alpha.webp", alpha, on_white(alpha), lossless=True, exact=True)
    save("deflate.tif", photo, compression="tiff_adobe_deflate")
    first = photo.quantize(40)
    save("animation.gif", first, save_all=True, append_images=[first.rotate(180)])
    # Large enough to be cut: 20 rows of blocks.
    large = drawn(96, 160, seed=1)
    save("large.jpg", large, quality=80, subsampling=2)
    save("large-progressive.jpg", large, quality=80, progressive=True)


def preprocess():
    photo = drawn(61, 43, seed=2)
    photo.save(HERE / "preprocess/photo.png")
    filters = {
        "bilinear": transforms.InterpolationMode.BILINEAR,
        "bicubic": transforms.InterpolationMode.BICUBIC,
        "lanczos": transforms.InterpolationMode.LANCZOS,
        "box": transforms.InterpolationMode.BOX,
    }
    for name, mode in filters.items():
        for side, height, width in (("down", 17, 23), ("up", 80, 70)):
            resized = transforms.Resize((height, width), interpolation=mode)(photo)
            (HERE / f"preprocess/squash-{name}-{side}.rgb").write_bytes(resized.tobytes())
    for share in (0.875, 1.0):
        crop = transforms.Compose(
            [transforms.Resize(int(24 / share)), transforms.CenterCrop(24)]
        )
        (HERE / f"preprocess/crop-{share}.rgb").write_bytes(crop(photo).tobytes())
    padded = ImageOps.pad(photo, (32, 32), Image.Resampling.BILINEAR, color=(0, 0, 0))
    (HERE / "preprocess/letterbox.rgb").write_bytes(padded.tobytes())


if __name__ == "__main__":
    photos()
    rare()
    orientations()
    preprocess()
