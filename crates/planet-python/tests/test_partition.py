"""Partitions: the command's, from arrays."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from planet_geolocation import Model, Partition, PlanetError

RANDOM = np.random.default_rng(1)
LAT = np.degrees(np.arcsin(RANDOM.uniform(-1, 1, 5000)))
LNG = RANDOM.uniform(-180, 180, 5000)


@pytest.mark.smoke
def test_a_partition_equals_the_commands(command: Any, tmp_path: Path) -> None:
    table, output, own = tmp_path / "photos.csv", tmp_path / "cells.csv", tmp_path / "own.csv"
    rows = "\n".join(f"{lat!r},{lng!r}" for lat, lng in zip(LAT.tolist(), LNG.tolist(), strict=True))
    table.write_text(f"lat,lng\n{rows}\n")
    rules = ["--split-above", "100", "--keep-from", "5"]
    command("partition", "build", str(table), *rules, "-o", str(output))
    partition = Partition.build(LAT, LNG, split_above=100, keep_from=5, source="photos.csv")
    partition.write(own)
    assert own.read_bytes() == output.read_bytes()
    assert Partition.read(output) == partition
    command("partition", "uniform", str(table), "--level", "3", "-o", str(tmp_path / "3.csv"))
    assert Partition.read(tmp_path / "3.csv") == Partition.uniform(LAT, LNG, level=3)


def test_positions_are_looked_up() -> None:
    partition = Partition.build(LAT, LNG, split_above=100, keep_from=50)
    found = partition.lookup(LAT, LNG)
    assert found.dtype == np.int64 and found.shape == LAT.shape
    counted = np.bincount(found[found >= 0], minlength=len(partition))
    assert (counted == partition.photos).all()
    assert (found == -1).sum() == len(LAT) - partition.photos.sum() > 0
    inside = int(np.flatnonzero(found >= 0)[0])
    assert partition.lookup(LAT[inside], LNG[inside]) == found[inside]
    outside = int(np.flatnonzero(found == -1)[0])
    assert partition.lookup(float(LAT[outside]), float(LNG[outside])) is None
    assert partition.points.shape == (len(partition), 2)
    assert len(partition.cells) == len(partition)
    assert partition.lookup([], []).shape == (0,)


def test_arrays_of_any_layout_are_read() -> None:
    partition = Partition.build(LAT, LNG, split_above=100, keep_from=5)
    both = np.column_stack([LAT, LNG])
    assert Partition.build(both[:, 0], both[:, 1], split_above=100, keep_from=5) == partition
    reverse = Partition.build(LAT[::-1], LNG[::-1], split_above=100, keep_from=5)
    assert reverse == partition
    assert (partition.lookup(LAT[::-1], LNG[::-1])[::-1] == partition.lookup(LAT, LNG)).all()
    assert (partition.lookup(list(LAT), tuple(LNG)) == partition.lookup(LAT, LNG)).all()
    small = LAT.astype(np.float32)
    assert partition.lookup(small, LNG).shape == LAT.shape
    assert partition.lookup(np.array([1, 2]), np.array([3, 4])).shape == (2,)


@pytest.mark.smoke
@pytest.mark.parametrize(
    ("lat", "lng", "reason"),
    [
        ([1.0, 91.0], [0.0, 0.0], "position 1: .*91"),
        ([np.nan], [0.0], "position 0"),
        ([0.0], [np.inf], "position 0"),
        ([0.0, 1.0], [0.0], "lat has 2 values, but lng has 1"),
        (np.zeros((2, 2)), np.zeros((2, 2)), "one axis"),
        (["north"], [0.0], "could not convert"),
        ([None], [0.0], "position 0|float"),
    ],
)
def test_positions_out_of_range_are_named_by_their_row(lat: Any, lng: Any, reason: str) -> None:
    with pytest.raises((ValueError, TypeError), match=reason):
        Partition.build(lat, lng)


def test_of_many_wrong_positions_the_first_is_named() -> None:
    lat = np.zeros(100_000)
    lat[[99_999, 70_000, 30_000]] = 91.0
    with pytest.raises(ValueError, match="position 30000: "):
        Partition.uniform([0.0], [0.0], level=1).lookup(lat, lat)


def test_rules_that_contradict_each_other_are_refused_with_a_hint() -> None:
    with pytest.raises(ValueError, match="hint: lower keep_from or raise split_above"):
        Partition.build(LAT, LNG, split_above=10, keep_from=50)
    with pytest.raises(ValueError, match="hint: lower keep_from"):
        Partition.build(LAT, LNG, keep_from=10_000)
    with pytest.raises(ValueError, match="no photo has a position"):
        Partition.build([], [])
    with pytest.raises(ValueError, match="point 'middle'"):
        Partition.build(LAT, LNG, point="middle")
    with pytest.raises(ValueError):
        Partition.uniform(LAT, LNG, level=31)


def test_partitions_are_compared_and_drawn() -> None:
    fine = Partition.uniform(LAT, LNG, level=4)
    coarse = Partition.uniform(LAT, LNG, level=2)
    overlap = fine.overlap(coarse)
    assert overlap.finer == len(fine) and overlap.same == overlap.alone == 0
    assert coarse.overlap(fine).coarser == len(coarse)
    assert fine.overlap(fine).same == len(fine)
    assert fine != coarse and fine == Partition.uniform(LAT, LNG, level=4)
    # A notebook's cell is narrower than the map.
    assert ' width="900" viewBox="' in fine._repr_svg_().split(">")[0]
    assert ' width="1600" ' in fine.to_svg().split(">")[0]
    assert "classes" in repr(fine)


def test_a_file_that_is_no_partition_is_named(tmp_path: Path) -> None:
    with pytest.raises(PlanetError, match=r"missing\.csv"):
        Partition.read(tmp_path / "missing.csv")
    (tmp_path / "wrong.csv").write_text("a,b\n1,2\n")
    with pytest.raises(PlanetError, match=r"wrong\.csv"):
        Partition.read(tmp_path / "wrong.csv")
    with pytest.raises(PlanetError, match="nowhere"):
        Partition.uniform(LAT, LNG, level=1).write(tmp_path / "nowhere" / "cells.csv")


def test_the_partition_of_a_model_is_its_file(model: Model, model_folder: Path) -> None:
    assert model.partition == Partition.read(model_folder / "partition.csv")
