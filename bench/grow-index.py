#!/usr/bin/env python3
"""Repeats the photos of an index until it has a given number, to time queries to large indices.

Needs the package blake3. Usage: grow-index.py INDEX PHOTOS OUTPUT
"""

import json
import struct
import sys

from blake3 import blake3

TAIL = 64


def main():
    source, photos, output = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    with open(source, "rb") as file:
        content = memoryview(file.read())
    rows, at, length = struct.unpack("<3Q", content[-56:-32])
    values, textons, words = struct.unpack("<3I", content[24:36])
    begin = 64 + 4 * 32 * textons + words
    stride = 4 * (1 + values)
    about = json.loads(bytes(content[at : at + length]))
    numbers = [number % rows for number in range(photos)]
    about["photos"] = [f"{number}/{about['photos'][number % rows]}" for number in range(photos)]
    about["positions"] = [about["positions"][number] for number in numbers]
    hasher = blake3()
    with open(output, "wb") as file:

        def write(part):
            hasher.update(part)
            file.write(part)

        write(content[:begin])
        left = photos
        while left > 0:
            write(content[begin : begin + min(left, rows) * stride])
            left -= rows
        place = file.tell()
        text = json.dumps(about).encode()
        write(text)
        write(b"I2G-END\n" + struct.pack("<3Q", photos, place, len(text)))
        file.write(hasher.digest())


if __name__ == "__main__":
    main()
