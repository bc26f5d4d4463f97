"""Scores of predictions, of this model or of any other system."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from . import _native
from ._native import Prediction
from ._partition import Partition

#: A file of predictions; predictions; or positions `(lat, lng)` by photo.
Predictions: TypeAlias = (
    "str | os.PathLike[str] | Iterable[Prediction] | Mapping[str, tuple[float, float]]"
)
#: A manifest or another table with ids and positions; or positions `(lat, lng)` by photo.
Truth: TypeAlias = "str | os.PathLike[str] | Mapping[str, tuple[float, float]]"

#: The five scales in km: street, city, region, country, continent.
SCALES_KM = (1, 25, 200, 750, 2500)


class Score:
    """How good predictions are, as `planet score` computes it."""

    def __init__(self, native: _native.Score) -> None:
        """Use `score`."""
        self._native = native
        self._figures: dict[str, Any] = json.loads(native.to_json())

    @property
    def photos(self) -> int:
        """Photos of known position: the denominator of every share."""
        return int(self._figures["score"]["counts"]["photos"])

    @property
    def within(self) -> dict[int, float]:
        """Share of photos whose first answer lies within 1, 25, 200, 750 and 2500 km."""
        return dict(zip(SCALES_KM, self._figures["score"]["within"][0], strict=True))

    @property
    def median_km(self) -> float | None:
        """Median error in km; None if half the photos have no answer."""
        median: float | None = self._figures["score"]["quartiles_km"][1]
        return median

    @property
    def geoscore(self) -> float:
        """Mean of 5000 · exp(−distance / 1492.7 km)."""
        return float(self._figures["score"]["geoscore"])

    def to_dict(self) -> dict[str, Any]:
        """All figures, as in `planet score --json`."""
        return self._figures

    def to_html(self) -> str:
        """The report as a page that needs no network."""
        return self._native.to_html()

    def to_svg(self) -> str:
        """A chart of the share of photos within each distance."""
        return self._native.to_svg()

    def _repr_html_(self) -> str:
        return self._native._repr_html_()

    def __str__(self) -> str:
        return self._native.to_text()

    def __repr__(self) -> str:
        return repr(self._native)


def score(
    predictions: Predictions,
    truth: Truth | None = None,
    *,
    by: str = "category",
    distance: str = "haversine",
    bound: str = "at-most",
    resamples: int = 1000,
    seed: int = 0,
    partition: Partition | None = None,
    countries: bool = False,
) -> Score:
    """Scores predictions. Photos without an answer count as wrong.

    truth: where the photos were taken; without it, the predictions must contain it.
    by: column of the truth for a table by category.
    distance: haversine (sphere of 6371 km) or geodesic (WGS 84).
    bound: whether an answer exactly at a radius counts: at-most or below.
    resamples: of the bootstrap for the 95 % intervals; 0 omits them.
    partition: that of the predictions, to score classes and the best possible accuracy.
    countries: also scores country and continent, by boundaries.

    Raises ValueError if no prediction is of a photo of the truth, or for a position out of range;
    PlanetError for a file that cannot be read.
    """
    return Score(
        _native.score(
            _given(predictions),
            _truth(truth),
            by=by,
            measure=distance,
            bound=bound,
            resamples=resamples,
            seed=seed,
            partition=None if partition is None else partition._native,
            countries=countries,
        )
    )


def read_predictions(path: str | os.PathLike[str]) -> list[Prediction]:
    """The predictions of a file: PlaNet's .jsonl or .csv, or a table of another system.

    Raises PlanetError for a file or a line that cannot be read.
    """
    return _native.read_predictions(os.fspath(path))


def _given(predictions: Predictions) -> str | list[Prediction]:
    if isinstance(predictions, str | os.PathLike):
        return os.fspath(predictions)
    if isinstance(predictions, Mapping):
        pairs = predictions.items()
        return [Prediction.at(str(photo), [(*_pair(at), None)]) for photo, at in pairs]
    return list(predictions)


def _truth(truth: Truth | None) -> str | list[tuple[str, float, float]] | None:
    if truth is None:
        return None
    if isinstance(truth, Mapping):
        return [(str(photo), *_pair(at)) for photo, at in truth.items()]
    return os.fspath(truth)


def _pair(position: tuple[float, float]) -> tuple[float, float]:
    lat, lng = position
    return float(lat), float(lng)
