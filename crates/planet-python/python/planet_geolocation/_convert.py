"""Predictions as tables of other libraries. None of them is needed but for its own function."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from . import _native
from ._native import ArrowTable, Prediction

if TYPE_CHECKING:
    import geopandas
    import pandas


def to_arrow(predictions: Iterable[Prediction]) -> ArrowTable:
    """One row a photo, with the columns of `Model.locate_arrow` behind `photo`."""
    return _native.predictions_to_arrow(list(predictions))


def _row(prediction: Prediction) -> dict[str, Any]:
    best, certain = prediction.best, prediction.certain
    return {
        "photo": prediction.photo,
        "class": None if best is None else best.class_id,
        "cell": None if best is None else best.cell,
        "lat": None if best is None else best.lat,
        "lng": None if best is None else best.lng,
        "probability": None if best is None else best.probability,
        "radius_km": None if best is None else best.radius_km,
        "place": None if best is None else best.place,
        "country_code": None if best is None else best.country_code,
        "certain_level": None if certain is None else certain.level,
        "certain_probability": None if certain is None else certain.probability,
        "error": prediction.error,
        "warning": prediction.warning,
    }


def to_pandas(predictions: Iterable[Prediction]) -> pandas.DataFrame:
    """One row a photo with its first answer. Needs pandas."""
    import pandas as pd

    columns = list(_row(Prediction.at("", [])))
    frame = pd.DataFrame([_row(it) for it in predictions], columns=columns)
    numbers = ["lat", "lng", "probability", "radius_km", "certain_probability"]
    return frame.astype(dict.fromkeys(numbers, "float64") | {"class": "Int64"})


def to_geopandas(predictions: Iterable[Prediction]) -> geopandas.GeoDataFrame:
    """The same with a point a photo, EPSG:4326; none where there is no answer. Needs geopandas."""
    import geopandas as gpd

    frame = to_pandas(predictions)
    points = gpd.points_from_xy(frame["lng"], frame["lat"], crs="EPSG:4326")
    located = gpd.GeoDataFrame(frame, geometry=points)
    located.loc[frame["lat"].isna(), "geometry"] = None
    return located
