"""The synthetic earth, libraries, and the command that the wheel carries."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import planet_geolocation
from planet_geolocation import Library, PlanetError, world


def test_photos_in_memory_are_those_of_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    manifest = world.draw_into(folder, photos=5, seed=7, size=64)
    assert manifest.is_file()
    for photo in world.draw(photos=5, seed=7, size=64):
        assert (folder / photo.photo).read_bytes() == photo.jpeg
        assert -90 <= photo.lat <= 90 and -180 <= photo.lng <= 180
    other = next(world.draw(photos=1, seed=8, size=64))
    assert other.jpeg != next(world.draw(photos=1, seed=7, size=64)).jpeg
    with pytest.raises(PlanetError, match="photos"):
        world.draw_into(folder, photos=5)
    with pytest.raises(ValueError, match="either photos or albums"):
        world.draw_into(tmp_path / "neither")
    with pytest.raises(ValueError):
        list(world.draw(photos=1, size=10_000))


def test_a_library_is_located_as_by_the_command(command: Any, tmp_path: Path) -> None:
    folder = tmp_path / "library"
    world.draw_into(folder, albums=2, seed=3, size=64)
    output = tmp_path / "found.jsonl"
    command("library", "locate", str(folder), "-o", str(output))
    library = Library.open(folder)
    found = [json.loads(it.to_json()) for it in library.locate()]
    assert found == [json.loads(line) for line in output.read_text().splitlines()]
    with pytest.raises(FileNotFoundError, match="nowhere"):
        Library.open(tmp_path / "nowhere")
    with pytest.raises(PlanetError, match="no photo has a known position"):
        library.locate(ignore_positions=True)
    with pytest.raises(PlanetError, match="missing"):
        library.locate(tracks=[tmp_path / "missing.gpx"])


def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    start = [sys.executable, "-m", "planet_geolocation", *arguments]
    return subprocess.run(start, capture_output=True, text=True, **options)


@pytest.mark.smoke
def test_the_wheel_carries_the_command() -> None:
    said = run("--version")
    assert said.returncode == 0 and planet_geolocation.__version__ in said.stdout
    assert "Usage: planet" in run("locate", "--help").stdout
    wrong = run("locate")
    assert wrong.returncode == 2 and "Usage: planet locate" in wrong.stderr
    failed = run("partition", "show", "missing.csv")
    assert failed.returncode == 1 and failed.stderr.startswith("error: missing.csv")


def test_the_command_measures_engines_in_processes_of_their_own(model_folder: Path) -> None:
    done = run(
        "engine", "bench", str(model_folder), "--engine", "rten", "--seconds", "0.1", "--json"
    )
    assert done.returncode == 0, done.stderr
    assert "rten" in done.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="signals of Unix")
def test_ctrl_c_ends_the_command(tmp_path: Path) -> None:
    arguments = ["world", "draw", "--photos", "1000000", "-o", str(tmp_path / "much")]
    start = [sys.executable, "-m", "planet_geolocation", *arguments]
    child = subprocess.Popen(start, stderr=subprocess.PIPE, text=True)
    # The folder in the making is there as soon as photos are drawn.
    while child.poll() is None and not any(tmp_path.iterdir()):
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=30)
    assert child.returncode == 130, said
    assert not (tmp_path / "much").exists()
