"""Scores: the command's, from files and from values."""

import json
from pathlib import Path
from typing import Any

import pytest

from planet_geolocation import Model, PlanetError, Prediction, read_predictions, score


@pytest.mark.smoke
def test_a_score_equals_the_commands(
    model: Model, photos: list[str], command: Any, tmp_path: Path
) -> None:
    path = tmp_path / "found.jsonl"
    predictions = list(model.locate(photos))
    path.write_text("".join(it.to_json() + "\n" for it in predictions))
    said = json.loads(command("score", "--predictions", str(path), "--json").stdout)
    assert score(path).to_dict() == said
    assert score(predictions).to_dict()["score"] == said["score"]
    assert [it.to_json() for it in read_predictions(path)] == [it.to_json() for it in predictions]
    cells = tmp_path / "cells.csv"
    model.partition.write(cells)
    with_cells = ["--partition", str(cells), "--countries", "--resamples", "50", "--seed", "3"]
    with_rules = ["--distance", "geodesic", "--bound", "below"]
    said = json.loads(
        command("score", "--predictions", str(path), "--json", *with_cells, *with_rules).stdout
    )
    own = score(
        path,
        partition=model.partition,
        countries=True,
        resamples=50,
        seed=3,
        distance="geodesic",
        bound="below",
    )
    assert own.to_dict() == said


def test_predictions_of_another_system_are_positions_by_photo() -> None:
    truth = {"a": (45.44, 12.33), "b": (59.91, 10.75), "c": (0.0, 0.0), "d": (1.0, 1.0)}
    found = score({"a": (45.44, 12.33), "b": (59.9, 10.7), "c": (40.0, 0.0)}, truth)
    assert found.photos == 4
    # The photo without an answer counts as wrong.
    assert found.within == {1: 0.25, 25: 0.5, 200: 0.5, 750: 0.5, 2500: 0.5}
    assert found.median_km is not None and 0 < found.median_km < 5000
    assert 0 < found.geoscore < 5000
    assert "<table" in found._repr_html_() and "<svg" in found._repr_html_()
    assert found.to_html().startswith("<!doctype html>") or "<html" in found.to_html().lower()
    assert "4 photos" in repr(found) and "km" in str(found)


def test_candidates_of_another_system_are_predictions() -> None:
    predictions = [Prediction.at("a", [(0.0, 50.0, 0.6), (45.44, 12.33, 0.4)])]
    found = score(predictions, {"a": (45.44, 12.33)})
    assert found.to_dict()["score"]["within"][1][0] == 1.0
    assert found.within[1] == 0.0


def test_a_truth_is_read_from_a_manifest(tmp_path: Path) -> None:
    truth = tmp_path / "truth.csv"
    truth.write_text("photo,lat,lng\na,1,2\nb,3,4\n")
    found = score({"a": (1.0, 2.0)}, truth)
    assert found.photos == 2 and found.within[1] == 0.5


def test_mistakes_are_no_score_of_zero(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="missing, for example: a"):
        score({"a": (1.0, 2.0)}, {"b": (1.0, 2.0)})
    with pytest.raises(ValueError, match="give truth="):
        score({"a": (1.0, 2.0)})
    with pytest.raises(ValueError, match="truth of a: .*91"):
        score({"a": (1.0, 2.0)}, {"a": (91.0, 2.0)})
    with pytest.raises(ValueError, match="a: .*91"):
        score({"a": (91.0, 2.0)}, {"a": (1.0, 2.0)})
    with pytest.raises(ValueError, match="'miles' is not one of"):
        score({"a": (1.0, 2.0)}, {"a": (1.0, 2.0)}, distance="miles")
    with pytest.raises(PlanetError, match=r"missing\.jsonl"):
        score(tmp_path / "missing.jsonl")
    (tmp_path / "wrong.jsonl").write_text('{"photo": 3}\n')
    with pytest.raises(PlanetError, match=r"wrong\.jsonl:1"):
        score(tmp_path / "wrong.jsonl")
