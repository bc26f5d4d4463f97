"""One person's photos, located together."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

from . import _native
from ._native import PlanetError, Prediction


class Library:
    """A folder of photos, or a manifest of them."""

    def __init__(self, path: Path) -> None:
        """Use `Library.open`."""
        self._path = path

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Library:
        """A folder or a manifest; `~` is the user's folder.

        Raises FileNotFoundError if there is none.
        """
        found = Path(path).expanduser()
        if not found.exists():
            raise FileNotFoundError(f"{found}: no such folder or manifest")
        return cls(found)

    @property
    def path(self) -> Path:
        """The folder or manifest."""
        return self._path

    def locate(
        self,
        *,
        model: str | os.PathLike[str] | None = None,
        tracks: Sequence[str | os.PathLike[str]] = (),
        top_k: int = 5,
        certain: float = 0.5,
        ignore_positions: bool = False,
    ) -> list[Prediction]:
        """Locates all photos from known positions, times, tracks and, if given, a model.

        This runs `planet library locate` of this package in a process of its own: the answers are
        the command's. What it reports, such as photos that cannot be read, becomes a warning.

        model: a model package's folder.
        tracks: GPX, KML, GeoJSON or Google Timeline files, or folders of them.

        Raises PlanetError in the command's words.
        """
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder) / "found.jsonl"
            arguments = ["library", "locate", str(self._path), "-o", str(output)]
            arguments += ["--top", str(top_k), "--certain", str(certain)]
            if model is not None:
                arguments += ["--model", os.fspath(model)]
            if tracks:
                arguments += ["--tracks", *(os.path.expanduser(os.fspath(it)) for it in tracks)]
            if ignore_positions:
                arguments.append("--ignore-positions")
            _run(arguments)
            return _native.read_predictions(str(output))

    def __repr__(self) -> str:
        return f"<Library {self._path}>"


def _run(arguments: Sequence[str]) -> None:
    command = [sys.executable, "-m", "planet_geolocation", *arguments]
    environment = os.environ | {"NO_COLOR": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    said = done.stderr.strip()
    if done.returncode != 0:
        raise PlanetError(said.removeprefix("error: ") or f"exit code {done.returncode}")
    if said:
        warnings.warn(said, stacklevel=3)
