"""Models: from photos to places."""

from __future__ import annotations

import itertools
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import _native
from ._native import ArrowTable, EngineError, Occlusion, PhotoError, Posterior, Prediction
from ._partition import Partition
from ._photos import Photo, given, given_or_reason

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Photos in a batch where no number is stated.
_PHOTOS = 8
#: Batches of a sequence that are handed over at once, at first (of pixels always) and at most:
#: photos are decoded ahead of the engine within them.
_BATCHES_AHEAD = 8
_MOST_BATCHES_AHEAD = 128
#: More are handed over as long as they take less than this, so that the engine seldom waits for the
#: first photos of the next, but other calls of the same model need not wait long.
_SECONDS_AHEAD = 1.0
#: The process in which the first model was opened.
_opened_in: int | None = None


class Model:
    """A model package with the engine that runs it.

    Several threads may use one model: one call at a time computes. A process that was forked after
    a model was opened has none of the engine's threads: there, models raise EngineError.
    """

    def __init__(self, native: _native.Model, path: str, options: dict[str, Any]) -> None:
        """Use `Model.load`."""
        self._own = native
        self._path = path
        self._options = options
        self._description: dict[str, Any] = json.loads(native.description())

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        engine: str = "auto",
        device: str | None = None,
        threads: int | None = None,
        onnxruntime: str | os.PathLike[str] | None = None,
        certain: float = 0.5,
        within: str | None = None,
        names: bool = True,
        decide: str = "cell",
        region: float | None = None,
    ) -> Model:
        """Opens a model package: a folder, such as a local snapshot of a Hugging Face repository.

        engine: auto (ONNX Runtime if it is installed, else native where it can run the model, else rten),
            native, rten, or onnxruntime.
        device: of ONNX Runtime, such as cpu, openvino or cuda:0; by default the first that works.
        threads: of the engine; by default one per core.
        onnxruntime: the library to load, instead of that of the installed package.
        certain: minimum probability for reporting a level, above 0 and at most 1.
        within: limits answers to an area: a country code or SOUTH,WEST,NORTH,EAST in degrees.
        names: whether places have names.
        decide: which candidate is the first: cell, the most probable one; score, that of the greatest
            expected GeoScore; within:KM, the one most probably within 1, 25, 200, 750 or 2500 km.
        region: share of photos, 0.01 to 0.99, for which each prediction states the cells that contain
            the place of that share of photos.

        Raises ModelError for a folder that is no model or is damaged, EngineError for an engine
        that is missing, ValueError for other arguments, such as regions of a model that was exported
        without validation photos.
        """
        folder = os.path.abspath(os.fspath(path))
        library = _onnxruntime() if onnxruntime is None else os.fspath(onnxruntime)
        options: dict[str, Any] = {
            "engine": engine,
            "device": device,
            "threads": _threads(threads),
            "onnxruntime": library,
            "certain": certain,
            "within": within,
            "names": names,
            "decide": decide,
            "region": region,
        }
        return _open(folder, options)

    def _native(self) -> _native.Model:
        _check_process()
        return self._own

    @property
    def name(self) -> str:
        """The model's name."""
        return str(self._description["name"])

    @property
    def description(self) -> dict[str, Any]:
        """What model.json states: classes, features, preprocessing, provenance, scores."""
        return self._description

    @property
    def card(self) -> str:
        """The model card, in Markdown; empty if the package has none."""
        path = Path(self._path) / "README.md"
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    @property
    def partition(self) -> Partition:
        """The model's classes."""
        return Partition(self._native().partition())

    def predict(
        self, photo: Photo, top_k: int = 5
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Locates one photo: positions `[top_k, 2]` (latitude, longitude) and probabilities.

        Raises PhotoError if the photo cannot be used.
        """
        (prediction,) = self.locate([given(photo)], top_k=top_k, batch_size=1)
        if prediction.error is not None:
            raise PhotoError(f"{prediction.photo}: {prediction.error}")
        return prediction.coords, prediction.probabilities

    def locate(
        self,
        photos: Iterable[Photo],
        *,
        batch_size: int | None = None,
        top_k: int = 5,
        embedding: bool = False,
    ) -> Iterator[Prediction]:
        """Locates photos in their order, as they are taken from the iterator.

        batch_size: photos that the engine takes at once, 1 to 512; by default it tries 8, 16 and 32,
            and keeps the quickest.

        A photo that cannot be used has a prediction with an error, in its place. Memory does not
        grow with the number of photos. Photos of a list are decoded ahead of the engine, at most
        128 batches at once; of another iterable, one batch is taken at a time, by default of 8.

        Raises EngineError if the engine fails.
        """
        if isinstance(photos, str | bytes | os.PathLike):
            raise TypeError("locate takes several photos; put a single one into a list")
        batch, top = _batch(batch_size), _in_range("top_k", top_k, 1000)
        return self._stream(photos, batch, top, embedding)

    def _stream(
        self, photos: Iterable[Photo], batch: int | None, top: int, embedding: bool
    ) -> Iterator[Prediction]:
        ahead = _BATCHES_AHEAD if isinstance(photos, Sequence) else 1
        source = iter(photos)
        first = 0
        while chunk := _taken(source, batch or _PHOTOS, ahead):
            started = time.monotonic()
            yield from self._native().locate(chunk, first, batch, top, embedding)
            first += len(chunk)
            if ahead > 1 and time.monotonic() - started < _SECONDS_AHEAD:
                ahead = min(2 * ahead, _MOST_BATCHES_AHEAD)

    def locate_arrow(
        self,
        table: object,
        *,
        column: str | None = None,
        keep: Sequence[str] | None = None,
        batch_size: int | None = None,
        top_k: int = 5,
    ) -> ArrowTable:
        """Locates the photos of a column of paths or of bytes; a row of the answer for each.

        table: an object of any Arrow library, such as a pyarrow.RecordBatch.
        column: the photos' column; by default the first that is called photo, path, bytes, image
            or file, of bytes if there is one, or the only one of paths or bytes.
        keep: columns to carry over; by default all but the photos' bytes.
        batch_size: as for `locate`.

        The answer adds class, cell, lat, lng, probability, radius_km, place, country_code,
        certain_level, certain_lat, certain_lng, certain_probability, candidates, error and
        warning. A photo that cannot be used, or is null, has an error and no answer.

        Raises TypeError for what is no table, ValueError for a column that is not there or a name
        that occurs twice, EngineError if the engine fails.
        """
        batch, top = _batch(batch_size), _in_range("top_k", top_k, 1000)
        kept = None if keep is None else list(keep)
        return self._native().locate_arrow(
            table, column=column, keep=kept, batch=batch, top=top
        )

    def embed(
        self, photos: Iterable[Photo], *, batch_size: int | None = None
    ) -> NDArray[np.float32]:
        """The layer below the classifier of each photo, `[photos, features]`.

        batch_size: as for `locate`.

        Raises PhotoError for the first photo that cannot be used.
        """
        import numpy as np

        rows: list[NDArray[np.float32]] = []
        for prediction in self.locate(photos, batch_size=batch_size, top_k=1, embedding=True):
            if prediction.error is not None:
                raise PhotoError(f"{prediction.photo}: {prediction.error}")
            if prediction.embedding is None:
                raise PhotoError(f"the model {self.name} has no embedding")
            rows.append(prediction.embedding)
        features = int(self._description.get("features") or 0)
        return np.stack(rows) if rows else np.empty((0, features), dtype=np.float32)

    def posterior(self, photo: Photo) -> Posterior:
        """The probability of every class for one photo. Raises PhotoError if it cannot be used."""
        return self._native().posterior(given(photo))

    def explain(
        self,
        photo: Photo,
        *,
        target: str = "best",
        box: float = 0.2,
        stride: float = 0.07,
        batch_size: int = 16,
    ) -> Occlusion:
        """Hides each part of a photo in turn and records the probability of a place.

        target: best (the answer), truth (the position in the file), LAT,LNG, the token of an S2
            cell, or a country code.
        box: side of the hidden squares, as a share of the photo's longer side.
        stride: from one square to the next, as a share of the longer side.

        Raises PhotoError for a photo that cannot be used or has no such target, ValueError for
        other arguments.
        """
        batch = _in_range("batch_size", batch_size, 512)
        return self._native().explain(
            given(photo), target=target, side=box, stride=stride, batch=batch
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """Through pickle, by its folder: other processes open the model themselves."""
        return _open, (self._path, self._options)

    def __repr__(self) -> str:
        return f"<Model {self.name}: {self._description['classes']} classes>"


def _open(path: str, options: dict[str, Any]) -> Model:
    global _opened_in
    _check_process()
    _opened_in = os.getpid()
    return Model(_native.Model.open(path, **options), path, options)


def _check_process() -> None:
    if _opened_in not in (None, os.getpid()):
        raise EngineError(
            "this process was forked after a model was opened, and has none of the engine's "
            "threads\nhint: start workers with multiprocessing.get_context('spawn'), or open the "
            "model only in the workers"
        )


def _taken(source: Iterator[Photo], batch: int, ahead: int) -> list[_native.GivenPhoto]:
    """The next batches, so many that are ahead; fewer of pixels, which are copied."""
    taken: list[_native.GivenPhoto] = []
    pixels = 0
    for photo in itertools.islice(source, batch * ahead):
        taken.append(given_or_reason(photo))
        pixels += not isinstance(taken[-1], str | bytes | tuple)
        if pixels == batch * _BATCHES_AHEAD:
            break
    return taken


def _batch(size: int | None) -> int | None:
    return None if size is None else _in_range("batch_size", size, 512)


def _in_range(name: str, value: int, most: int) -> int:
    if not 1 <= value <= most:
        raise ValueError(f"{name} is {value}; it must be within 1..={most}")
    return value


def _threads(asked: int | None) -> int:
    if asked is not None:
        return _in_range("threads", asked, 1024)
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _onnxruntime() -> str | None:
    """The library of the installed package onnxruntime, which is not imported for it."""
    # ONNX Runtime must not record its use.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    if named := os.environ.get("ORT_DYLIB_PATH"):
        return named
    for folder in sys.path:
        capi = Path(folder or ".") / "onnxruntime" / "capi"
        patterns = ("libonnxruntime.so*", "libonnxruntime.*dylib", "onnxruntime.dll")
        found = sorted(path for pattern in patterns for path in capi.glob(pattern))
        if found:
            return str(found[0])
    return None
