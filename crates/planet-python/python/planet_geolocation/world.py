"""The synthetic earth: photos that are generated from their position."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from . import _native


class SyntheticPhoto(NamedTuple):
    """A photo of the synthetic earth, with its truth."""

    #: Its id: the path that it has in a folder of `planet world draw`.
    photo: str
    #: The bytes of its JPEG file.
    jpeg: bytes
    #: Latitude in degrees.
    lat: float
    #: Longitude in degrees.
    lng: float


def draw(
    photos: int, *, seed: int = 0, world: int = 0, size: int = 128
) -> Iterator[SyntheticPhoto]:
    """Generates single photos in memory, one after the other: those of `planet world draw`.

    seed: of the photos; training and test photos differ in it.
    world: seed of places and facts; training and test photos share it.
    size: longer side in pixels, 64..=640.

    Raises ValueError for arguments out of range.
    """
    earth = _native.World(world)
    return (SyntheticPhoto(*earth.photo(seed, number, size)) for number in range(photos))


def draw_into(
    folder: str | os.PathLike[str],
    *,
    photos: int | None = None,
    albums: int | None = None,
    seed: int = 0,
    world: int = 0,
    size: int = 128,
) -> Path:
    """Generates a new folder of photos or of albums with its manifest, whose path is returned.

    Raises ValueError for arguments out of range, PlanetError if the folder is not empty or cannot
    be written.
    """
    path = os.fspath(folder)
    _native.World(world).draw(photos, albums, seed, size, path)
    return Path(path) / "manifest.parquet"
