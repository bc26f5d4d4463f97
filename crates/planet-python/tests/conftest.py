"""What the tests share: a model, photos of the synthetic earth, and the command.

PLANET_TEST_MODEL names a model package, PLANET_TEST_COMMAND the command to compare with; by default
that of the installed package. `scripts/test-wheel` sets both.
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
def model_folder() -> Path:
    folder = os.environ.get("PLANET_TEST_MODEL")
    if folder is None:
        pytest.skip("PLANET_TEST_MODEL names no model package")
    return Path(folder)


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
