"""Partitions of the earth into classes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, overload

from . import _native

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Degrees: TypeAlias = "NDArray[np.float64] | NDArray[np.float32] | Sequence[float]"


class Overlap(NamedTuple):
    """How the cells of one partition lie to those of another."""

    #: Cells that the other has too.
    same: int
    #: Cells that lie inside a larger cell of the other.
    finer: int
    #: Cells inside which the other has smaller ones.
    coarser: int
    #: Cells on ground that the other leaves out.
    alone: int


class Partition:
    """Disjoint classes that a photo can be told apart into. Notebooks show it as a map."""

    def __init__(self, native: _native.Partition) -> None:
        """Use `Partition.build`, `Partition.uniform` or `Partition.read`."""
        self._native = native

    @classmethod
    def build(
        cls,
        lat: Degrees,
        lng: Degrees,
        *,
        split_above: int = 10_000,
        keep_from: int = 50,
        keep_more_than: int | None = None,
        min_level: int = 0,
        max_level: int = 30,
        point: str = "mean",
        source: str = "",
    ) -> Partition:
        """The adaptive partition of the paper, from the positions of photos in degrees.

        split_above: cells with more photos than this are split (t1).
        keep_from: cells with at least this many photos are kept (t2).
        keep_more_than: the rule of other authors, instead of keep_from.
        min_level, max_level: levels of S2 cells, 0..=30.
        point: the position that is the answer of a class: mean or centre.
        source: where the photos come from, in words.

        Raises ValueError for a position out of range, by its row, and for contradictory rules.
        """
        lat_values, lng_values = _positions(lat, lng)
        return cls(
            _native.Partition.build(
                lat_values,
                lng_values,
                split_above,
                keep_from,
                keep_more_than,
                min_level,
                max_level,
                point,
                source,
            )
        )

    @classmethod
    def uniform(
        cls,
        lat: Degrees,
        lng: Degrees,
        *,
        level: int,
        keep_from: int = 1,
        point: str = "mean",
        source: str = "",
    ) -> Partition:
        """All cells of one level that hold at least keep_from photos.

        Raises ValueError as `Partition.build`.
        """
        lat_values, lng_values = _positions(lat, lng)
        return cls(
            _native.Partition.uniform(lat_values, lng_values, level, keep_from, point, source)
        )

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Partition:
        """A partition from a file, also compressed. Raises PlanetError if it cannot be read."""
        return cls(_native.Partition.read(os.fspath(path)))

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes the command's CSV. Raises PlanetError if it cannot be written."""
        self._native.write(os.fspath(path))

    @overload
    def lookup(self, lat: float, lng: float) -> int | None: ...

    @overload
    def lookup(self, lat: Degrees, lng: Degrees) -> NDArray[np.int64]: ...

    def lookup(
        self, lat: Degrees | float, lng: Degrees | float
    ) -> NDArray[np.int64] | int | None:
        """The class of each position, int64; -1 is outside. Of two numbers: a class or None.

        Raises ValueError for a position out of range, by its row.
        """
        import numpy as np

        if np.ndim(lat) == 0 and np.ndim(lng) == 0:
            one = self._native.lookup(*_positions([lat], [lng]))  # type: ignore[list-item]
            return None if one[0] < 0 else int(one[0])
        return self._native.lookup(*_positions(lat, lng))  # type: ignore[arg-type]

    @property
    def points(self) -> NDArray[np.float64]:
        """The position that is each class's answer, `[classes, 2]`; NaN for a class without one."""
        return self._native.points()

    @property
    def photos(self) -> NDArray[np.uint64]:
        """Training photos of each class, `[classes]`."""
        return self._native.photos()

    @property
    def cells(self) -> list[str]:
        """Tokens of each class's S2 cells, separated by spaces."""
        return self._native.cells()

    @property
    def fingerprint(self) -> str:
        """Names the classes: equal partitions have equal fingerprints."""
        return self._native.fingerprint

    @property
    def scheme(self) -> str:
        """adaptive, uniform, or the layout of the file."""
        return self._native.scheme

    def overlap(self, other: Partition) -> Overlap:
        """How the cells of this partition lie to those of another."""
        return Overlap(*self._native.overlap(other._native))

    def to_svg(self) -> str:
        """A map of the world."""
        return self._native.to_svg()

    def _repr_svg_(self) -> str:
        return self._native._repr_svg_()

    def __len__(self) -> int:
        return len(self._native)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Partition) and self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __repr__(self) -> str:
        return repr(self._native)


def _positions(lat: Degrees, lng: Degrees) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Arrays as the extension module takes them: contiguous, of float64, with one axis."""
    import numpy as np

    arrays = []
    for name, values in (("lat", lat), ("lng", lng)):
        array = np.ascontiguousarray(values, dtype=np.float64)
        if np.ndim(values) != 1:
            raise ValueError(f"{name} has the shape {np.shape(values)}; it must have one axis")
        arrays.append(array)
    return arrays[0], arrays[1]
