"""Locating: the same answers as the command's, whatever a photo is given as."""

import copy
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from planet_geolocation import Model, PhotoError, Prediction, to_geopandas, to_pandas


def good(photos: list[str]) -> list[str]:
    return [path for path in photos if "poisoned" not in path]


@pytest.mark.smoke
def test_predictions_equal_the_commands_bit_for_bit(
    model: Model, photos: list[str], lines: list[dict[str, Any]]
) -> None:
    found = [json.loads(it.to_json()) for it in model.locate(photos)]
    assert found == lines


@pytest.mark.parametrize("batch_size", [1, 5, 11, 32, None])
def test_the_size_of_a_batch_does_not_change_the_answers(
    model: Model, photos: list[str], lines: list[dict[str, Any]], batch_size: int | None
) -> None:
    found = [json.loads(it.to_json()) for it in model.locate(iter(photos), batch_size=batch_size)]
    expected = copy.deepcopy(lines)
    # A single photo at a time is computed in another order, which rounds otherwise.
    if batch_size == 1:
        for line in [*found, *expected]:
            for row in line.get("predictions", []):
                del row["probability"]
            line.pop("certain", None)
    assert found == expected


def test_attributes_are_the_numbers_of_the_commands_lines(
    model: Model, photos: list[str], lines: list[dict[str, Any]]
) -> None:
    prediction, line = next(model.locate(photos)), lines[0]
    rows = line["predictions"]
    assert [it.lat for it in prediction.candidates] == [row["lat"] for row in rows]
    assert [it.lng for it in prediction.candidates] == [row["lng"] for row in rows]
    assert [it.radius_km for it in prediction.candidates] == [row["radius_km"] for row in rows]
    stated = np.array([row["probability"] for row in rows], dtype=np.float32)
    assert (prediction.probabilities == stated).all()
    assert prediction.coords.shape == (len(rows), 2)
    assert prediction.truth == (line["truth"]["lat"], line["truth"]["lng"])
    assert prediction.distance_km == line["truth"]["distance_km"]
    best = prediction.best
    assert best is not None and best.cell == rows[0]["cell"]


@pytest.mark.smoke
def test_a_photo_that_cannot_be_used_is_a_value_in_its_place(
    model: Model, photos: list[str]
) -> None:
    mixed = [photos[0], "missing.jpg", None, b"", 7, photos[1]]
    found = list(model.locate(mixed))
    assert [it.error is None for it in found] == [True, False, False, False, False, True]
    assert [it.photo for it in found[1:5]] == ["missing.jpg", "2", "3", "4"]
    assert found[2].error == "the photo is missing (None)"
    assert found[3].error == "the file is empty"
    assert "int is not a photo" in (found[4].error or "")
    assert found[1].candidates == [] and found[1].best is None


def test_predict_gives_positions_and_probabilities(model: Model, photos: list[str]) -> None:
    coords, probabilities = model.predict(photos[0], top_k=7)
    assert coords.shape == (7, 2) and coords.dtype == np.float64
    assert probabilities.shape == (7,) and probabilities.dtype == np.float32
    assert (np.diff(probabilities) <= 0).all() and probabilities.sum() <= 1 + 1e-5
    with pytest.raises(PhotoError, match=r"missing\.jpg: No such file"):
        model.predict("missing.jpg")


def test_paths_bytes_images_arrays_and_tensors_are_the_same_photo(
    model: Model, photos: list[str]
) -> None:
    image = pytest.importorskip("PIL.Image")
    path = good(photos)[0]
    content = Path(path).read_bytes()
    expected = model.predict(path)
    for same in [Path(path), content, bytearray(content), memoryview(content)]:
        coords, probabilities = model.predict(same)
        assert (coords == expected[0]).all() and (probabilities == expected[1]).all()
    # Pixels from here on: Pillow decodes JPEG with other rounding, so that they go through PNG.
    opened = image.open(path)
    from PIL import ImageOps

    pixels = np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))
    png = io.BytesIO()
    image.fromarray(pixels).save(png, "png")
    expected = model.predict(png.getvalue())

    class Tensor:
        def __init__(self, values: Any) -> None:
            self.values = values

        def __dlpack__(self, **options: Any) -> Any:
            return self.values.__dlpack__(**options)

        def __dlpack_device__(self) -> Any:
            return self.values.__dlpack_device__()

    rgba = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
    writable = pixels.copy()
    photos_in_memory: list[Any] = [
        opened,
        pixels,
        np.asfortranarray(pixels),
        pixels[:, ::-1].copy()[:, ::-1],
        pixels[::-1].copy()[::-1],
        pixels.astype(np.float32) / 255,
        pixels.astype(np.float64) / 255,
        rgba,
        image.fromarray(rgba),
        Tensor(writable),
    ]
    for same in photos_in_memory:
        coords, probabilities = model.predict(same)
        assert (coords == expected[0]).all() and (probabilities == expected[1]).all()


@pytest.mark.smoke
def test_grey_photos_are_located(model: Model) -> None:
    grey = np.random.default_rng(0).integers(0, 256, (40, 60), dtype=np.uint8)
    rgb = np.repeat(grey[:, :, np.newaxis], 3, axis=2)
    expected = model.predict(rgb)[1]
    for same in (grey, grey[:, :, np.newaxis]):
        assert (model.predict(same)[1] == expected).all()


@pytest.mark.smoke
@pytest.mark.parametrize(
    ("photo", "reason"),
    [
        (np.zeros((4, 4, 3), np.int64), "int64"),
        (np.zeros((4, 4, 3), np.uint16), "uint16"),
        (np.zeros((4, 4, 3), bool), "bool"),
        (np.array([["a"]]), "<U1"),
        (np.zeros((4, 4, 2), np.uint8), r"\(4, 4, 2\)"),
        (np.zeros((3,), np.uint8), r"\(3,\)"),
        (np.zeros((1, 4, 4, 3), np.uint8), r"\(1, 4, 4, 3\)"),
        (np.zeros((0, 4, 3), np.uint8), "no pixels"),
        (np.full((4, 4, 3), 255.0), "divide by 255"),
        (np.full((4, 4, 3), np.nan), "divide by 255"),
        (np.full((4, 4, 3), -0.1), "divide by 255"),
        (None, "None"),
        (3.5, "float"),
        (object(), "object"),
    ],
)
def test_what_is_no_photo_is_refused_with_a_reason(
    model: Model, photo: Any, reason: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=reason):
        model.predict(photo)
    (found,) = model.locate([photo])
    assert found.error is not None


def test_a_single_path_is_not_several_photos(model: Model) -> None:
    with pytest.raises(TypeError, match="put a single one into a list"):
        model.locate("photo.jpg")


@pytest.mark.parametrize("options", [{"batch_size": 0}, {"batch_size": 513}, {"top_k": 0}])
def test_numbers_out_of_range_are_refused(model: Model, options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be within"):
        model.locate([], **options)  # type: ignore[arg-type]


def test_no_photos_are_no_predictions(model: Model) -> None:
    assert list(model.locate([])) == []
    assert model.embed([]).shape == (0, model.description["features"])


def test_embeddings_have_a_row_a_photo(model: Model, photos: list[str]) -> None:
    paths = good(photos)[:3]
    embeddings = model.embed(paths)
    assert embeddings.shape == (3, model.description["features"])
    assert embeddings.dtype == np.float32 and np.isfinite(embeddings).all()
    assert (embeddings == model.embed(iter(paths))).all()
    with pytest.raises(PhotoError, match=r"poisoned\.jpg"):
        model.embed(photos)


def test_a_posterior_sums_to_one_and_is_drawn(model: Model, photos: list[str]) -> None:
    posterior = model.posterior(photos[0])
    assert posterior.probabilities.shape == (len(model.partition),)
    assert posterior.probabilities.sum() == pytest.approx(1.0, abs=1e-4)
    best = model.predict(photos[0], top_k=1)[1]
    assert posterior.probabilities.max() == best[0]
    # A notebook's cell is narrower than the map.
    assert ' width="900" viewBox="' in posterior._repr_svg_().split(">")[0]
    assert ' width="1600" ' in posterior.to_svg().split(">")[0]
    assert posterior.to_png()[:4] == b"\x89PNG"


def test_an_explanation_equals_the_commands(
    model: Model, model_folder: Path, photos: list[str], command: Any, tmp_path: Path
) -> None:
    path, output = good(photos)[0], tmp_path / "explained.json"
    options = ["--target", "best", "--engine", "rten", "--threads", "2", "-o", str(output)]
    command("explain", path, "--model", str(model_folder), *options)
    occlusion = model.explain(path)
    assert json.loads(occlusion.to_json()) == json.loads(output.read_text())
    values = occlusion.values("drop", 64)
    height, width = occlusion.size
    assert max(values.shape) == 64 and (values.shape[0] < values.shape[1]) == (height < width)
    assert occlusion._repr_png_()[:4] == b"\x89PNG"
    with pytest.raises(ValueError, match="not a target"):
        model.explain(path, target="no such place")
    with pytest.raises(ValueError, match="leaves gaps"):
        model.explain(path, box=0.1, stride=0.5)
    with pytest.raises(PhotoError, match="poisoned"):
        model.explain(next(it for it in photos if "poisoned" in it))


def test_predictions_become_data_frames(model: Model, photos: list[str]) -> None:
    pytest.importorskip("pandas")
    predictions = list(model.locate(photos))
    frame = to_pandas(predictions)
    assert len(frame) == len(photos) and list(frame["photo"]) == photos
    failed = frame[frame["error"].notna()]
    assert len(failed) == 1 and failed["lat"].isna().all()
    pytest.importorskip("geopandas")
    located = to_geopandas(predictions)
    assert located.crs.to_epsg() == 4326
    assert located.geometry.isna().sum() == 1
    assert located.geometry.iloc[0].x == predictions[0].candidates[0].lng
    assert len(to_pandas([])) == 0


def test_a_prediction_goes_through_pickle(model: Model, photos: list[str]) -> None:
    import pickle

    prediction = next(model.locate(photos[:1], embedding=True))
    again = pickle.loads(pickle.dumps(prediction))
    assert again.to_json() == prediction.to_json()
    assert isinstance(again, Prediction)


def test_the_lines_for_users_of_geoclip_run(
    model_folder: Path,
    photos: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    guide = Path(__file__).parents[1] / "python.md"
    if not guide.exists():
        pytest.skip("scripts/test-wheel puts docs/python.md there")
    section = guide.read_text(encoding="utf-8").split("\n## From GeoCLIP\n")[1].split("\n## ")[0]
    theirs, ours = (block.split("\n```")[0] for block in section.split("```python\n")[1:])
    assert len(theirs.splitlines()) == len(ours.splitlines()) == 10
    (tmp_path / "model").symlink_to(model_folder)
    (tmp_path / "photo.jpg").write_bytes(Path(good(photos)[0]).read_bytes())
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"paths": photos}
    exec(ours, names)
    printed = [[float(it) for it in line.split()] for line in capsys.readouterr().out.splitlines()]
    assert [len(line) for line in printed] == [3] * 5
    assert [row[0] for row in names["rows"]] == good(photos)
