"""Tables in and out: the same rows as predictions, and every kind of column."""

import json
from pathlib import Path
from typing import Any

import pytest

from planet_geolocation import Model, Prediction, to_arrow

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


def rows(predictions: list[Prediction]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pa.table(to_arrow(predictions)).to_pylist()
    return found


def without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def test_a_column_of_paths_has_the_rows_of_predictions(
    model: Model, photos: list[str], lines: list[dict[str, Any]]
) -> None:
    batch = pa.record_batch({"photo": photos, "number": list(range(len(photos)))})
    found = pa.record_batch(model.locate_arrow(batch))
    assert found.num_rows == len(photos)
    assert found.column("number").to_pylist() == list(range(len(photos)))
    expected = rows(list(model.locate(photos)))
    assert [without(row, "number") for row in found.to_pylist()] == expected
    assert found.column("lat").to_pylist() == [
        line["predictions"][0]["lat"] if "predictions" in line else None for line in lines
    ]
    assert found.column("error").to_pylist() == [line.get("error") for line in lines]
    assert found.column("candidates").to_pylist()[0][4]["lng"] == lines[0]["predictions"][4]["lng"]


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view()], ids=str
)
def test_every_kind_of_text_is_a_path(model: Model, photos: list[str], kind: Any) -> None:
    batch = pa.record_batch({"p": pa.array([photos[0], None], type=kind)})
    first, second = pa.record_batch(model.locate_arrow(batch)).to_pylist()
    assert first["error"] is None and first["lat"] is not None
    assert second["error"] == "the photo is missing (null)" and second["lat"] is None
    assert second["candidates"] == []


@pytest.mark.parametrize(
    "kind", [pa.binary(), pa.large_binary(), pa.binary_view()], ids=str
)
def test_every_kind_of_bytes_is_a_photo(model: Model, photos: list[str], kind: Any) -> None:
    content = Path(photos[0]).read_bytes()
    batch = pa.record_batch(
        {"id": [7, 8, 9], "bytes": pa.array([content, b"", None], type=kind)}
    )
    found = pa.record_batch(model.locate_arrow(batch))
    assert "bytes" not in found.schema.names
    assert found.column("id").to_pylist() == [7, 8, 9]
    assert found.column("error").to_pylist() == [
        None, "the file is empty", "the photo is missing (null)"
    ]
    assert found.column("lat")[0].as_py() == model.predict(photos[0])[0][0, 0]


def test_slices_tables_and_streams_are_read(model: Model, photos: list[str]) -> None:
    expected = rows(list(model.locate(photos)))
    table = pa.table({"photo": photos * 2})
    sliced = table.slice(3, len(photos))
    order = (photos * 2)[3 : 3 + len(photos)]
    by_photo = {row["photo"]: row for row in expected}
    found = pa.table(model.locate_arrow(sliced)).to_pylist()
    assert found == [by_photo[photo] for photo in order]
    chunked = pa.Table.from_batches([*table.slice(0, 5).to_batches(), *table.slice(5, 2).to_batches()])
    answer = model.locate_arrow(chunked)
    assert len(answer) == 7
    with pytest.raises(AttributeError, match="several record batches"):
        answer.__arrow_c_array__()
    assert pa.table(answer).to_pylist() == [by_photo[photo] for photo in photos[:7]]
    empty = pa.table(model.locate_arrow(pa.table({"photo": pa.array([], pa.string())})))
    assert empty.num_rows == 0 and "error" in empty.schema.names


def test_a_table_is_exported_more_than_once(model: Model, photos: list[str]) -> None:
    answer = model.locate_arrow(pa.record_batch({"photo": photos[:2]}))
    assert pa.record_batch(answer).equals(pa.record_batch(answer))
    assert pa.table(answer).num_rows == 2
    assert pa.schema(answer).names == answer.column_names
    # What was not taken is released with the capsule.
    answer.__arrow_c_array__()
    answer.__arrow_c_stream__()


def test_columns_are_named_or_clear(model: Model, photos: list[str]) -> None:
    two = pa.record_batch({"a": photos[:1], "b": photos[:1]})
    with pytest.raises(ValueError, match=r"not clear; name it with column=; the columns are a, b"):
        model.locate_arrow(two)
    found = pa.record_batch(model.locate_arrow(two, column="b", keep=["a"]))
    assert found.schema.names[:2] == ["a", "class"]
    with pytest.raises(ValueError, match="there is no column 'c'"):
        model.locate_arrow(two, column="c")
    with pytest.raises(ValueError, match="keep: there is no column 'c'"):
        model.locate_arrow(two, column="a", keep=["c"])
    numbers = pa.record_batch({"photo": [1, 2]})
    with pytest.raises(ValueError, match="int64, not paths or bytes|Int64, not paths or bytes"):
        model.locate_arrow(numbers, column="photo")
    doubled = pa.record_batch({"photo": photos[:1], "lat": [1.0]})
    with pytest.raises(ValueError, match=r"a column 'lat' already; rename it"):
        model.locate_arrow(doubled)
    assert pa.record_batch(model.locate_arrow(doubled, keep=["photo"])).num_rows == 1


def test_bytes_are_the_photos_and_paths_beside_them_their_names(
    model: Model, photos: list[str]
) -> None:
    content = Path(photos[0]).read_bytes()
    batch = pa.record_batch({"photo": ["s3://bucket/a.jpg"], "bytes": [content]})
    (row,) = pa.record_batch(model.locate_arrow(batch)).to_pylist()
    assert row["photo"] == "s3://bucket/a.jpg" and "bytes" not in row
    assert row["error"] is None and row["lat"] == model.predict(photos[0])[0][0, 0]


@pytest.mark.parametrize("value", [None, 3, [1, 2], {"photo": ["a.jpg"]}])
def test_what_is_no_table_is_refused(model: Model, value: Any) -> None:
    with pytest.raises(TypeError, match="no Arrow table"):
        model.locate_arrow(value)


def test_an_array_is_no_record_batch(model: Model) -> None:
    with pytest.raises(TypeError, match="a record batch is needed"):
        model.locate_arrow(pa.array(["a.jpg"]))


def test_the_commands_parquet_has_the_same_rows(
    model: Model, model_folder: Path, photos: list[str], command: Any, tmp_path: Path
) -> None:
    options = ["--model", str(model_folder), "--engine", "rten", "--threads", "2"]
    expected = rows(list(model.locate(photos)))
    for shards in (1, 3):
        found = []
        for shard in range(1, shards + 1):
            output = tmp_path / f"{shard}-of-{shards}.parquet"
            selected = ["--shard", f"{shard}/{shards}", "-o", str(output)]
            command("locate", *photos, *options, *selected)
            found += pq.read_table(output).to_pylist()
        assert sorted(found, key=json.dumps) == sorted(expected, key=json.dumps)
