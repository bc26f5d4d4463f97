"""Opening models, and using them from threads, processes and with Ctrl-C."""

import multiprocessing
import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from planet_geolocation import EngineError, Model, ModelError, Partition, PlanetError
from planet_geolocation._model import _taken

UNIX = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")


@pytest.mark.smoke
def test_a_folder_that_is_no_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is not a model package") as raised:
        Model.load(tmp_path / "missing")
    assert isinstance(raised.value, PlanetError)
    with pytest.raises(ModelError, match=r"model\.json"):
        Model.load(tmp_path)
    (tmp_path / "model.json").write_text("{}")
    with pytest.raises(ModelError, match=r"model\.json"):
        Model.load(tmp_path)
    with pytest.raises(TypeError):
        Model.load(None)  # type: ignore[arg-type]


def test_a_damaged_model_is_named(model_folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(model_folder, copy)
    with (copy / "partition.csv").open("a") as file:
        file.write("# changed\n")
    with pytest.raises(ModelError, match=r"partition\.csv: its hash"):
        Model.load(copy)


def test_a_snapshot_of_a_hub_is_a_model(model_folder: Path, tmp_path: Path) -> None:
    # huggingface_hub keeps files as links to blobs, beside files of its own.
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / "abc"
    blobs.mkdir()
    snapshot.mkdir(parents=True)
    for number, file in enumerate(model_folder.iterdir()):
        shutil.copy(file, blobs / str(number))
        (snapshot / file.name).symlink_to(blobs / str(number))
    (snapshot / ".gitattributes").write_text("*.data filter=lfs\n")
    model = Model.load(snapshot, engine="rten", threads=1)
    assert model.card == (model_folder / "README.md").read_text(encoding="utf-8")
    assert len(model.partition) == model.description["classes"]


def test_wrong_options_are_refused(model_folder: Path) -> None:
    with pytest.raises(ValueError, match="engine 'tensorflow' is not one of"):
        Model.load(model_folder, engine="tensorflow")
    with pytest.raises(ValueError, match="certain"):
        Model.load(model_folder, certain=1.5)
    with pytest.raises(ValueError, match="threads is 0"):
        Model.load(model_folder, threads=0)
    with pytest.raises(ValueError, match="Atlantis"):
        Model.load(model_folder, within="Atlantis")
    with pytest.raises(EngineError, match="hint: install ONNX Runtime"):
        Model.load(model_folder, engine="onnxruntime", onnxruntime="/missing/library.so")


def test_answers_can_be_limited_to_an_area(model_folder: Path, photos: list[str]) -> None:
    limited = Model.load(model_folder, engine="rten", threads=1, within="0,-180,90,180")
    coords, _ = limited.predict(photos[0], top_k=50)
    assert (coords[:, 0] >= 0).all()


@pytest.mark.smoke
def test_two_threads_share_a_model(model: Model, photos: list[str]) -> None:
    expected = [it.to_json() for it in model.locate(photos)]

    def locate(_: int) -> list[str]:
        return [it.to_json() for it in model.locate(photos)]

    with ThreadPoolExecutor(4) as threads:
        assert all(found == expected for found in threads.map(locate, range(8)))


def test_a_model_can_be_used_while_a_stream_is_open(model: Model, photos: list[str]) -> None:
    expected = [it.to_json() for it in model.locate(photos, batch_size=2)]
    stream = model.locate(photos * 3, batch_size=2)
    first = next(stream)
    assert first.to_json() == expected[0]
    model.predict(photos[0])
    assert [it.to_json() for it in stream] == (expected * 3)[1:]


def test_photos_of_an_iterator_are_taken_as_they_are_needed(
    model: Model, photos: list[str]
) -> None:
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield photos[0]

    stream = model.locate(endless(), batch_size=4)
    for _ in range(10):
        assert next(stream).error is None
    assert taken <= 12


def test_paths_are_handed_over_in_large_parts_and_pixels_in_small_ones() -> None:
    paths, pixels = ["a.jpg"] * 1000, [np.zeros((2, 2, 3), np.uint8)] * 1000
    assert len(_taken(iter(paths), 2, 128)) == 256
    # They are copied.
    assert len(_taken(iter(pixels), 2, 128)) == 16
    assert len(_taken(iter([*paths[:100], *pixels]), 2, 128)) == 116


def test_other_threads_of_python_run_meanwhile(model: Model, photos: list[str]) -> None:
    ticks = 0
    done = threading.Event()

    def tick() -> None:
        nonlocal ticks
        while not done.is_set():
            ticks += 1
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    started = time.monotonic()
    list(model.locate(photos * 20))
    elapsed = time.monotonic() - started
    done.set()
    thread.join()
    assert ticks > 100 * elapsed, f"{ticks} ticks in {elapsed:.2f} s"


def test_a_model_goes_through_pickle(model: Model, photos: list[str]) -> None:
    again = pickle.loads(pickle.dumps(model))
    assert (again.predict(photos[0])[1] == model.predict(photos[0])[1]).all()


def _best(model: Model, photo: str) -> float:
    return float(model.predict(photo)[1][0])


def _refused(model: Model, photo: str) -> str:
    try:
        model.predict(photo)
    except EngineError as error:
        return str(error)
    return "it was not refused"


@pytest.mark.smoke
@UNIX
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_after_load_is_refused_and_does_not_hang(model: Model, photos: list[str]) -> None:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, _refused(model, photos[0]).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        assert "hint: start workers with multiprocessing.get_context('spawn')" in pipe.read()
    os.waitpid(child, 0)
    # The parent's model is still of use.
    assert _best(model, photos[0]) > 0


@UNIX
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_partitions_are_looked_up_after_a_fork() -> None:
    partition = Partition.uniform([1.0, 40.0], [2.0, 60.0], level=2)
    assert list(partition.lookup([1.0, 40.0], [2.0, 60.0])) == [0, 1]
    with multiprocessing.get_context("fork").Pool(1) as pool:
        found = pool.apply_async(_look_up, [partition.points.tolist()]).get(timeout=60)
    assert found == [0, 1]


def _look_up(points: list[list[float]]) -> list[int]:
    lat, lng = [lat for lat, _ in points], [lng for _, lng in points]
    return [int(it) for it in Partition.uniform(lat, lng, level=2).lookup(lat, lng)]


def test_spawned_workers_open_the_model_by_themselves(model: Model, photos: list[str]) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        found = pool.starmap_async(_best, [(model, photos[0])] * 4).get(timeout=120)
    assert found == [_best(model, photos[0])] * 4


@pytest.mark.smoke
@UNIX
def test_ctrl_c_ends_a_stream_at_once(model_folder: Path, photos: list[str]) -> None:
    # A shell that starts the tests in the background has them ignore Ctrl-C.
    script = f"""
import signal
import planet_geolocation as planet
signal.signal(signal.SIGINT, signal.default_int_handler)
model = planet.Model.load({str(model_folder)!r}, engine="rten", threads=1)
try:
    for number, _ in enumerate(model.locate([{photos[0]!r}] * 1_000_000, batch_size=8)):
        if number == 0:
            print("begun", flush=True)
except KeyboardInterrupt:
    print("interrupted", flush=True)
    print(len(model.predict({photos[0]!r})[1]), flush=True)
"""
    start = [sys.executable, "-c", script]
    with subprocess.Popen(start, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "begun\n"
        child.send_signal(signal.SIGINT)
        assert child.stdout.readline() == "interrupted\n"
        # The model is still of use.
        assert child.stdout.readline() == "5\n"
        assert child.wait(timeout=20) == 0


@pytest.mark.smoke
def test_the_import_is_fast_and_loads_no_other_package() -> None:
    script = (
        "import sys, time; t = time.perf_counter(); import planet_geolocation; "
        "e = time.perf_counter() - t; "
        "loaded = {'numpy', 'pyarrow', 'pandas', 'PIL', 'onnxruntime'} & set(sys.modules); "
        "print(e, *sorted(loaded))"
    )
    times = []
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
        elapsed, *loaded = done.stdout.split()
        assert loaded == [], done.stderr
        times.append(float(elapsed))
    print(f"import: {1000 * min(times):.0f} ms")
