#!/usr/bin/env python3
"""Makes tests/golden/facts: tiny photos with EXIF and XMP of every shape, and what exiftool
reads from them.

Needs pillow and the program exiftool. Usage: python3 make_facts.py
"""

import io
import json
import struct
import subprocess
from pathlib import Path

from PIL import Image

HERE = Path(__file__).resolve().parent / "facts"
ASCII, LONG, RATIONAL, UNDEFINED, SRATIONAL, DOUBLE = 2, 4, 5, 7, 10, 12


def ifd(entries, at, order):
    """Bytes of an IFD that begins at offset `at`, values behind it."""
    kinds = {ASCII: 1, LONG: 4, RATIONAL: 8, UNDEFINED: 1, SRATIONAL: 8, DOUBLE: 8}
    head, values = struct.pack(order + "H", len(entries)), b""
    values_at = at + 2 + 12 * len(entries) + 4
    for tag, kind, content in sorted(entries):
        count = len(content) // kinds[kind]
        if len(content) <= 4:
            slot = content.ljust(4, b"\0")
        else:
            slot = struct.pack(order + "I", values_at + len(values))
            values += content + b"\0" * (len(content) % 2)
        head += struct.pack(order + "HHI", tag, kind, count) + slot
    return head + b"\0\0\0\0" + values


def block(gps=(), exif=(), main=(), order=">"):
    """A TIFF structure with these entries."""
    pointers = [(0x8769, LONG, b"\0\0\0\0"), (0x8825, LONG, b"\0\0\0\0")]
    first = len(ifd(list(main) + pointers, 8, order))
    exif_bytes = ifd(list(exif), 8 + first, order)
    pointers = [
        (0x8769, LONG, struct.pack(order + "I", 8 + first)),
        (0x8825, LONG, struct.pack(order + "I", 8 + first + len(exif_bytes))),
    ]
    gps_bytes = ifd(list(gps), 8 + first + len(exif_bytes), order)
    head = (b"MM" if order == ">" else b"II") + struct.pack(order + "HI", 42, 8)
    return head + ifd(list(main) + pointers, 8, order) + exif_bytes + gps_bytes


def ratios(*pairs, order=">", code="I"):
    return b"".join(struct.pack(order + code * 2, *pair) for pair in pairs)


def gps(lat, lng, lat_ref=b"N\0", lng_ref=b"E\0", kind=RATIONAL, more=()):
    entries = [(2, kind, lat), (4, kind, lng), *more]
    entries += [(1, ASCII, lat_ref)] if lat_ref is not None else []
    entries += [(3, ASCII, lng_ref)] if lng_ref is not None else []
    return entries


def cases():
    lat = ratios((45, 1), (26, 1), (2688, 100))
    lng = ratios((12, 1), (18, 1), (5580, 100))
    yield "three", block(gps(lat, lng))
    yield "south-west", block(gps(lat, lng, b"S\0", b"W\0"))
    little = dict(order="<")
    yield "little-endian", block(
        gps(ratios((45, 1), (26, 1), (2688, 100), **little), ratios((12, 1), (18, 1), (5580, 100), **little)),
        **little,
    )
    yield "one-component", block(gps(ratios((454408, 10000)), ratios((123155, 10000))))
    yield "two-components", block(gps(ratios((45, 1), (26448, 1000)), ratios((12, 1), (1893, 100))))
    yield "seconds-empty", block(gps(ratios((45, 1), (26448, 1000), (0, 0)), ratios((12, 1), (1893, 100), (0, 0))))
    yield "text", block(gps(b"45.4408\0", b"12.3155\0", kind=ASCII))
    yield "doubles", block(gps(struct.pack(">d", 45.4408), struct.pack(">d", 12.3155), kind=DOUBLE))
    yield "error", block(gps(lat, lng, more=[(0x1F, RATIONAL, ratios((1234, 100)))]))
    yield "no-references", block(gps(lat, lng, None, None))
    yield "one-reference", block(gps(lat, lng, b"N\0", None))
    yield "latitude-only", block([(1, ASCII, b"N\0"), (2, RATIONAL, lat)])
    yield "antimeridian", block(gps(ratios((16, 1), (30, 1), (0, 1)), ratios((179, 1), (59, 1), (5999, 100)), b"S\0", b"W\0"))
    at = b"2019:07:14 18:03:22\0"
    yield "time", block(exif=[(0x9003, ASCII, at)])
    yield "time-with-offset", block(exif=[(0x9003, ASCII, at), (0x9011, ASCII, b"+02:00\0")])
    yield "digitised", block(exif=[(0x9004, ASCII, at)])
    yield "camera", block(main=[(0x010F, ASCII, b"Canon\0"), (0x0110, ASCII, b"Canon EOS 5D\0")])


def segment(marker, content):
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(content) + 2) + content


def main():
    buffer = io.BytesIO()
    Image.new("RGB", (8, 6), (90, 120, 150)).save(buffer, "JPEG")
    plain = buffer.getvalue()
    for name, tiff in cases():
        (HERE / f"{name}.jpg").write_bytes(plain[:2] + segment(0xE1, b"Exif\0\0" + tiff) + plain[2:])
    for name, arguments in {
        "xmp": ["-XMP:GPSLatitude=45.4408", "-XMP:GPSLongitude=-12.3155", "-XMP:GPSHPositioningError=25"],
        "xmp-time": ["-XMP-exif:DateTimeOriginal=2019:07:14 18:03:22+02:00"],
    }.items():
        path = HERE / f"{name}.jpg"
        path.write_bytes(plain)
        subprocess.run(["exiftool", "-q", "-overwrite_original", *arguments, path], check=True)
    tags = ["-Composite:GPSLatitude", "-Composite:GPSLongitude",
            "-XMP:GPSLatitude", "-XMP:GPSLongitude", "-GPSHPositioningError",
            "-DateTimeOriginal", "-CreateDate", "-OffsetTimeOriginal", "-Model"]
    command = ["exiftool", "-n", "-j", *tags, "-ext", "jpg", "."]
    read = subprocess.run(command, cwd=HERE, check=True, stdout=subprocess.PIPE).stdout
    rows = sorted(json.loads(read), key=lambda row: row["SourceFile"])
    (HERE / "exiftool.json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
