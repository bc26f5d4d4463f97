"""What the tests share: a model, photos of the synthetic earth, and the command.

PLANET_TEST_MODEL names a model package; by default the command makes one. PLANET_TEST_COMMAND names
the command to compare with; by default that of the installed package.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from planet_geolocation import Model, world

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def model_folder(command: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if named := os.environ.get("PLANET_TEST_MODEL"):
        return Path(named)
    return small_model(command, tmp_path_factory.mktemp("model"))


def small_model(command: Command, folder: Path) -> Path:
    """A network that has hardly learned anything: no answer of it is tested for being right."""
    earth, cells, run, model = (str(folder / name) for name in ("earth", "cells.csv", "run", "model"))
    manifest = f"{earth}/manifest.parquet"
    command("world", "draw", "--photos", "1500", "--size", "64", "-o", earth)
    rules = ["--split-above", "60", "--keep-from", "5"]
    command("partition", "build", manifest, *rules, "-o", cells)
    network = ["--architecture", "inception-mini", "--size", "48", "--batch", "16", "--epochs", "1"]
    command("train", "--dataset", manifest, "--partition", cells, *network, "-o", run)
    command("export", run, "-o", model)
    return Path(model)


@pytest.fixture(scope="session")
def model(model_folder: Path) -> Model:
    return Model.load(model_folder, engine="rten", threads=2)


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Twelve photos, in the order in which the command finds them, one of which is none."""
    folder = tmp_path_factory.mktemp("world") / "photos"
    world.draw_into(folder, photos=11, seed=5)
    poisoned = folder / "poisoned.jpg"
    poisoned.write_bytes(b"no photo")
    found = sorted(str(path) for path in folder.rglob("*.jpg"))
    assert len(found) == 12
    return found


@pytest.fixture(scope="session")
def command() -> Command:
    named = os.environ.get("PLANET_TEST_COMMAND")
    start = [named] if named else [sys.executable, "-m", "planet_geolocation"]

    def run(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*start, *arguments], capture_output=True, text=True, check=check)

    return run


@pytest.fixture(scope="session")
def lines(
    command: Command, model_folder: Path, photos: list[str], tmp_path_factory: pytest.TempPathFactory
) -> list[dict[str, Any]]:
    """What the command writes for the photos."""
    output = tmp_path_factory.mktemp("command") / "found.jsonl"
    arguments = ["--model", str(model_folder), "--engine", "rten", "--threads", "2"]
    command("locate", *photos, *arguments, "-o", str(output))
    return [json.loads(line) for line in output.read_text().splitlines()]
