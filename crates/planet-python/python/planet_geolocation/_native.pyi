"""The extension module. What is public is in the package `planet_geolocation`."""

from collections.abc import Sequence
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

__version__: str

class PlanetError(Exception):
    """Something failed; the base class of this package's exceptions."""

class ModelError(PlanetError):
    """A model package is missing, incomplete or damaged."""

class EngineError(PlanetError):
    """An inference engine is missing or failed."""

class PhotoError(PlanetError):
    """A photo cannot be used."""

@final
class Candidate:
    """One class that a photo may belong to. Numbers are those of the command's files."""

    @property
    def class_id(self) -> int | None:
        """Row of the class in the partition; None in predictions of other systems."""
    @property
    def cell(self) -> str:
        """S2 tokens of its cells, separated by spaces; empty for a class that is only a point."""
    @property
    def probability(self) -> float | None:
        """0..=1; None in predictions of other systems that do not state it."""
    @property
    def lat(self) -> float:
        """Latitude in degrees, to seven decimals."""
    @property
    def lng(self) -> float:
        """Longitude in degrees, to seven decimals."""
    @property
    def radius_km(self) -> float:
        """From the position to the farthest corner of the class's cells, in km."""
    @property
    def place(self) -> str | None:
        """Name of the place: `Venice, Veneto, Italy`."""
    @property
    def country_code(self) -> str | None:
        """ISO 3166-1 alpha-2 code of the country."""

@final
class Certain:
    """The finest level whose radius around a position holds the probability that was asked for."""

    @property
    def level(self) -> str:
        """street (1 km), city (25), region (200), country (750) or continent (2500)."""
    @property
    def name(self) -> str:
        """Name of the place at this level; empty where no named place is near."""
    @property
    def lat(self) -> float:
        """Latitude of the middle in degrees."""
    @property
    def lng(self) -> float:
        """Longitude of the middle in degrees."""
    @property
    def radius_km(self) -> float:
        """The level's radius in km."""
    @property
    def probability(self) -> float:
        """Probability that the photo was taken within the radius, 0..=1."""

@final
class Region:
    """Cells that contain the place of a stated share of photos, by split conformal prediction."""

    @property
    def share(self) -> float:
        """The share of photos that was asked for, 0.01..=0.99."""
    @property
    def classes(self) -> list[int]:
        """Its classes, the most probable first."""
    @property
    def cells(self) -> list[str]:
        """S2 tokens of their cells."""
    @property
    def area_km2(self) -> float:
        """Area of the cells in km²."""

@final
class Prediction:
    """What is said of one photo. A photo without an answer has an `error` and no candidates."""

    @staticmethod
    def at(photo: str, answers: Sequence[tuple[float, float, float | None]]) -> Prediction:
        """A prediction of another system: `(lat, lng, probability)` of each answer, best first.

        Raises ValueError for a position that is out of range.
        """
    @staticmethod
    def from_json(text: str) -> Prediction:
        """A prediction from a line of JSON. Raises ValueError if it is none."""
    @property
    def photo(self) -> str:
        """The photo's path, or its place among the photos, from 0."""
    @property
    def candidates(self) -> list[Candidate]:
        """The most probable classes, best first."""
    @property
    def best(self) -> Candidate | None:
        """The first candidate."""
    @property
    def certain(self) -> Certain | None:
        """The finest level that is certain; None where none is."""
    @property
    def region(self) -> Region | None:
        """The region for the share of photos that `Model.load` was given; None without one."""
    @property
    def truth(self) -> tuple[float, float] | None:
        """Latitude and longitude that the photo's own metadata states."""
    @property
    def distance_km(self) -> float | None:
        """From the best candidate to the truth, in km."""
    @property
    def error(self) -> str | None:
        """Why there is no answer."""
    @property
    def warning(self) -> str | None:
        """Why the answer must not be relied on."""
    @property
    def coords(self) -> NDArray[np.float64]:
        """Positions of the candidates, `[candidates, 2]`: latitude and longitude."""
    @property
    def probabilities(self) -> NDArray[np.float32]:
        """Probabilities of the candidates, `[candidates]`; NaN where none is stated."""
    @property
    def embedding(self) -> NDArray[np.float32] | None:
        """The layer below the classifier, `[features]`, where it was asked for."""
    def to_json(self) -> str:
        """The line that `planet locate` writes into a .jsonl file, without its end."""

@final
class Posterior:
    """The probability of every class of a model for one photo. Notebooks show it as a map."""

    @property
    def probabilities(self) -> NDArray[np.float32]:
        """`[classes]`, in the order of the partition; they sum to one."""
    def to_svg(self) -> str:
        """A map of the world."""
    def to_png(self) -> bytes:
        """A map of the world."""
    def _repr_svg_(self) -> str: ...

@final
class Occlusion:
    """Which parts of a photo determine an answer. Notebooks show it over the photo."""

    @property
    def photo(self) -> str:
        """The photo's path; `0` for one in memory."""
    @property
    def target(self) -> str:
        """The place whose probability is watched."""
    @property
    def probability(self) -> float:
        """Probability of the target for the whole photo, 0..=1."""
    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the upright photo in pixels."""
    def values(self, measure: str, longest: int) -> NDArray[np.float64]:
        """The map, `[rows, columns]`, at most `longest` on its longer side.

        `measure` is probability (of the target with that part hidden), drop (by how much it
        falls) or log_odds (by how much its log-odds fall).
        """
    def regions(self, most: int) -> list[tuple[int, int, int, int, str]]:
        """The parts whose hiding costs most: left, top, width, height in pixels, and a sentence."""
    def to_json(self) -> str:
        """What `planet explain` writes into a .json file."""
    def to_svg(self) -> str:
        """The photo with its map."""
    def to_png(self) -> bytes:
        """The photo with its map."""
    def _repr_png_(self) -> bytes: ...

@final
class ArrowTable:
    """Record batches by the Arrow PyCapsule interface.

    `pyarrow.record_batch(table)`, `pyarrow.table(table)` and `polars.DataFrame(table)` take it
    without a copy.
    """

    @property
    def num_rows(self) -> int:
        """Number of rows."""
    @property
    def column_names(self) -> list[str]:
        """Names of the columns."""
    def __len__(self) -> int: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

@final
class Score:
    """How good predictions are, as `planet score` computes it."""

    def to_json(self) -> str:
        """The figures of `planet score --json`."""
    def to_svg(self) -> str:
        """A chart of the share of photos within each distance."""
    def to_text(self) -> str:
        """The tables as text."""
    def to_html(self) -> str:
        """The report as a page."""
    def _repr_html_(self) -> str: ...

# What follows is wrapped by the package.

GivenPhoto: TypeAlias = str | bytes | NDArray[np.uint8] | tuple[str]

@final
class Stream:
    def __iter__(self) -> Stream: ...
    def __next__(self) -> Prediction: ...

@final
class Model:
    @staticmethod
    def open(
        folder: str,
        *,
        engine: str,
        device: str | None,
        threads: int,
        onnxruntime: str | None,
        certain: float,
        within: str | None,
        names: bool,
        decide: str,
        region: float | None,
    ) -> Model: ...
    def description(self) -> str: ...
    def partition(self) -> Partition: ...
    def locate(
        self,
        photos: Sequence[GivenPhoto],
        first: int,
        batch: int | None,
        top: int,
        embedding: bool,
    ) -> Stream: ...
    def locate_arrow(
        self,
        value: object,
        *,
        column: str | None,
        keep: list[str] | None,
        batch: int | None,
        top: int,
    ) -> ArrowTable: ...
    def posterior(self, photo: GivenPhoto) -> Posterior: ...
    def explain(
        self, photo: GivenPhoto, *, target: str, side: float, stride: float, batch: int
    ) -> Occlusion: ...

@final
class Partition:
    @staticmethod
    def build(
        lat: NDArray[np.float64],
        lng: NDArray[np.float64],
        split_above: int,
        keep_from: int,
        keep_more_than: int | None,
        min_level: int,
        max_level: int,
        answer: str,
        source: str,
    ) -> Partition: ...
    @staticmethod
    def uniform(
        lat: NDArray[np.float64],
        lng: NDArray[np.float64],
        level: int,
        keep_from: int,
        answer: str,
        source: str,
    ) -> Partition: ...
    @staticmethod
    def read(path: str) -> Partition: ...
    def write(self, path: str) -> None: ...
    def lookup(
        self, lat: NDArray[np.float64], lng: NDArray[np.float64]
    ) -> NDArray[np.int64]: ...
    def points(self) -> NDArray[np.float64]: ...
    def photos(self) -> NDArray[np.uint64]: ...
    def cells(self) -> list[str]: ...
    def overlap(self, other: Partition) -> tuple[int, int, int, int]: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def scheme(self) -> str: ...
    def __len__(self) -> int: ...
    def to_svg(self) -> str: ...
    def _repr_svg_(self) -> str: ...

@final
class World:
    def __new__(cls, seed: int) -> World: ...
    def photo(self, seed: int, number: int, size: int) -> tuple[str, bytes, float, float]: ...
    def draw(
        self, photos: int | None, albums: int | None, seed: int, size: int, folder: str
    ) -> int: ...

def main(start: list[str], arguments: list[str]) -> int: ...
def read_predictions(path: str) -> list[Prediction]: ...
def predictions_to_arrow(predictions: Sequence[Prediction]) -> ArrowTable: ...
def score(
    predictions: str | Sequence[Prediction],
    truth: str | Sequence[tuple[str, float, float]] | None,
    *,
    by: str,
    measure: str,
    bound: str,
    resamples: int,
    seed: int,
    partition: Partition | None,
    countries: bool,
) -> Score: ...
