"""PlaNet: estimates where photos were taken, builds partitions of the earth, scores predictions.

>>> from planet_geolocation import Model
>>> model = Model.load("model")
>>> coords, probs = model.predict("photo.jpg", top_k=5)

Everything that takes long runs without the interpreter's lock and ends at Ctrl-C.
"""

from . import world
from ._convert import to_arrow, to_geopandas, to_pandas
from ._library import Library
from ._model import Model
from ._native import (
    ArrowTable,
    Candidate,
    Certain,
    EngineError,
    ModelError,
    Occlusion,
    PhotoError,
    PlanetError,
    Posterior,
    Prediction,
    Region,
    __version__,
)
from ._partition import Overlap, Partition
from ._score import Score, read_predictions, score

__all__ = [
    "ArrowTable",
    "Candidate",
    "Certain",
    "EngineError",
    "Library",
    "Model",
    "ModelError",
    "Occlusion",
    "Overlap",
    "Partition",
    "PhotoError",
    "PlanetError",
    "Posterior",
    "Prediction",
    "Region",
    "Score",
    "__version__",
    "read_predictions",
    "score",
    "to_arrow",
    "to_geopandas",
    "to_pandas",
    "world",
]
