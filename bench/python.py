#!/usr/bin/env python3
"""The Python package beside the command, a UDF of Pillow and onnxruntime, and other S2 libraries.

    locate   Model.locate and planet locate, from the same list of files to lines of JSON, which must
             be equal. Photos/s is (photos − 1) / (time for all − time for one), so that loading is
             excluded. The rows take turns, each figure in a process of its own.
    arrow    In Daft, from a Parquet column of bytes: Model.locate_arrow, and a batched UDF that
             decodes with Pillow on two threads, runs onnxruntime and ranks in numpy. Both in one
             process of the engine's; photos/s as above, relative to a tenth of the photos. The UDF runs
             the network of MODEL, or another one, such as bench/pipeline.py --int8 --keep FOLDER leaves.
    lookups  Positions to classes: Partition.lookup on one thread and on all, C++ S2 (bench/s2.cc) and
             s2cell with bisect on one thread. All must give the same classes.

Needs an environment with the wheel and: pip install daft pyarrow pillow onnxruntime s2cell s2sphere;
for lookups also: apt install g++ libs2-dev.
Usage: PYTHON bench/python.py locate MODEL FOLDER [--photos 5000] [--rounds 5] [--engine rten] [--batch 32]
       PYTHON bench/python.py arrow MODEL FOLDER [--photos 200] [--rounds 3] [--batch 8] [--peer-network ONNX]
       PYTHON bench/python.py lookups GEOTAGS.parquet PARTITION.csv [--positions 10000000] [--rounds 5]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

THREADS = 2
PLANET = [sys.executable, "-m", "planet_geolocation"]


def timed(command, **options):
    """Seconds by the clock, and seconds of the processor, which another program changes far less."""
    began, used = time.perf_counter(), os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    now = os.times()
    processor = now.children_user - used.children_user + now.children_system - used.children_system
    return time.perf_counter() - began, processor


def show(found, unit, digits=0):
    """A line for each name: the median, its range, and what it is of the last row's."""
    last = statistics.median(list(found.values())[-1])
    for name, values in found.items():
        middle = statistics.median(values)
        low, high = min(values), max(values)
        print(f"| {name} | {middle:,.{digits}f} ({low:,.{digits}f}–{high:,.{digits}f}) {unit} | {middle / last:.2f} |", flush=True)


def rates(photos, long, short):
    """Photos a second: by the clock, and of the processor."""
    return tuple(photos / (more - less) for more, less in zip(long, short))


def show_rates(found):
    for at, unit in enumerate(["photos/s", "photos per CPU second"]):
        show({name: [it[at] for it in values] for name, values in found.items()}, unit)


def photos_of(folder, number):
    found = sorted(str(path.resolve()) for path in folder.rglob("*.jpg"))
    assert len(found) >= number, f"{folder} has {len(found)} photos"
    return found[:number]


# locate

def locate_python(model, listed, output, engine, batch):
    from planet_geolocation import Model

    opened = Model.load(model, engine=engine, threads=THREADS)
    with open(output, "w") as file:
        for prediction in opened.locate(Path(listed).read_text().splitlines(), batch_size=batch):
            file.write(prediction.to_json() + "\n")


def bench_locate(arguments, folder):
    photos = photos_of(arguments.folder, arguments.photos)
    engine, batch = arguments.engine, str(arguments.batch)
    lists = [folder / "all.txt", folder / "one.txt"]
    lists[0].write_text("\n".join(photos))
    lists[1].write_text(photos[0])
    outputs = {"Model.locate": folder / "python.jsonl", "planet locate": folder / "command.jsonl"}

    def run(name, listed):
        if name == "Model.locate":
            call = ["--run", "locate", arguments.model, listed, outputs[name], engine, batch]
            return timed([sys.executable, __file__, *call])
        options = ["--engine", engine, "--threads", str(THREADS), "--batch", batch, "--overwrite"]
        command = [*PLANET, "locate", "-", "--model", arguments.model, *options, "-o", outputs[name]]
        with listed.open() as given:
            return timed(command, stdin=given)

    found = {name: [] for name in outputs}
    for _ in range(arguments.rounds):
        for name in outputs:
            one = run(name, lists[1])
            found[name].append(rates(len(photos) - 1, run(name, lists[0]), one))
    lines = [path.read_text() for path in outputs.values()]
    print(f"{len(photos)} photos, {engine}, batch {batch}: the lines are {'equal' if lines[0] == lines[1] else 'NOT equal'}")
    show_rates(found)


# arrow

def planet_udf(model, batch, _):
    import pyarrow as pa

    from planet_geolocation import Model

    opened = Model.load(model, engine="onnxruntime", threads=THREADS)
    return lambda photos: pa.table(opened.locate_arrow(pa.table({"photo": photos}), keep=[], batch_size=batch))["lat"].combine_chunks()


def pillow_udf(model, batch, network):
    """As it is written by hand: decoded ahead on two threads, batches of one size, the best five."""
    import io
    from concurrent.futures import ThreadPoolExecutor

    import numpy
    import onnxruntime
    import pyarrow as pa
    from PIL import Image

    from planet_geolocation import Partition

    preprocess = json.loads((Path(model) / "model.json").read_text())["preprocess"]
    height, width = preprocess["size"]
    mean, std = (numpy.array(preprocess[name], numpy.float32) for name in ("mean", "std"))
    points = Partition.read(Path(model) / "partition.csv").points
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    pixels, pool = session.get_inputs()[0].name, ThreadPoolExecutor(THREADS)
    names = [it.name for it in session.get_outputs()]
    logits = "logits" if "logits" in names else names[0]

    def decode(content):
        with Image.open(io.BytesIO(content)) as photo:
            small = photo.convert("RGB").resize((width, height), Image.Resampling.BILINEAR)
        values = (numpy.asarray(small, dtype=numpy.float32) / 255 - mean) / std
        return values.transpose(2, 0, 1)

    def run(photos):
        decoded, found = pool.map(decode, photos.to_pylist()), []
        for first in range(0, len(photos), batch):
            stacked = numpy.stack([next(decoded) for _ in range(min(batch, len(photos) - first))])
            scores = session.run([logits], {pixels: stacked})[0]
            weights = numpy.exp(scores - scores.max(1, keepdims=True))
            best = numpy.argpartition(weights, -5)[:, -5:]
            shares = numpy.take_along_axis(weights, best, 1) / weights.sum(1, keepdims=True)
            first_of = numpy.take_along_axis(best, shares.argmax(1)[:, None], 1)[:, 0]
            found.append(points[first_of, 0])
        return pa.array(numpy.concatenate(found))

    return run


UDFS = {"Model.locate_arrow": planet_udf, "Pillow + onnxruntime": pillow_udf}


def run_arrow(name, model, table, number, batch, network):
    import daft

    class Locate:
        def __init__(self):
            self.run = UDFS[name](model, int(batch), network)

        @daft.method.batch(return_dtype=daft.DataType.float64(), batch_size=256)
        def locate(self, photo: daft.Series):
            return self.run(photo.to_arrow())

    locator = daft.cls(Locate, use_process=False, max_concurrency=1)()
    rows = daft.read_parquet(table).limit(int(number))
    found = rows.select(locator.locate(rows["bytes"]).alias("lat")).to_pydict()["lat"]
    assert len(found) == int(number)
    # Daft's threads sometimes abort the process at the interpreter's end, with either function.
    os._exit(0)


def bench_arrow(arguments, folder):
    import pyarrow as pa
    import pyarrow.parquet as pq

    photos = photos_of(arguments.folder, arguments.photos)
    table, few = folder / "photos.parquet", max(1, len(photos) // 10)
    network = arguments.peer_network or Path(arguments.model) / "model.onnx"
    pq.write_table(pa.table({"bytes": [Path(it).read_bytes() for it in photos]}), table)
    found = {name: [] for name in UDFS}
    for _ in range(arguments.rounds):
        for name in UDFS:
            call = lambda number: timed([sys.executable, __file__, "--run", "arrow", name, arguments.model, table, str(number), str(arguments.batch), network])
            less = call(few)
            found[name].append(rates(len(photos) - few, call(len(photos)), less))
    print(f"{len(photos)} photos, ONNX Runtime, batch {arguments.batch}, in Daft:")
    show_rates(found)


# lookups

def run_lookups(partition, positions, rounds):
    """The least seconds, and the classes of the first 50,000 as a checksum."""
    import numpy
    from s2 import checksum

    from planet_geolocation import Partition

    lat, lng = numpy.fromfile(positions).reshape(-1, 2).T.copy()
    read, times = Partition.read(partition), []
    for _ in range(int(rounds)):
        began = time.perf_counter()
        classes = read.lookup(lat, lng)
        times.append(time.perf_counter() - began)
    print(json.dumps([times, checksum(classes[:50_000].tolist())]))


def bench_lookups(arguments, folder):
    import numpy
    import pyarrow.parquet
    import s2cell
    from s2 import HERE, checksum, native_peer, python_peer, ranges_of

    table = pyarrow.parquet.read_table(arguments.geotags, columns=["lat", "lng"]).drop_null()
    known = numpy.stack([table["lat"].to_numpy(), table["lng"].to_numpy()], axis=1)
    positions = known[numpy.random.default_rng(0).integers(len(known), size=arguments.positions)]
    ranges = ranges_of(Path(arguments.partition))
    paths = [folder / name for name in ("all", "few", "ranges")]
    positions.tofile(paths[0])
    positions[:50_000].tofile(paths[1])
    numpy.array(ranges, dtype=numpy.uint64).tofile(paths[2])
    compiler = ["g++", "-O3", "-march=native", "-std=c++17", HERE / "s2.cc", "-o", folder / "cpp", "-ls2"]
    subprocess.run(compiler, check=True)

    found, sums, millions = {}, set(), len(positions) / 1e6
    for name, threads in [("Partition.lookup, all threads", "0"), ("Partition.lookup, one thread", "1")]:
        call = [sys.executable, __file__, "--run", "lookups", arguments.partition, paths[0], str(arguments.rounds)]
        out = subprocess.run(call, check=True, stdout=subprocess.PIPE, env=os.environ | {"RAYON_NUM_THREADS": threads})
        times, classes = json.loads(out.stdout)
        found[name] = [millions / it for it in times]
        sums.add(classes)
    times = [sum(native_peer([folder / "cpp", paths[0], paths[2]], 0)[:2]) for _ in range(arguments.rounds)]
    found["C++ S2, one thread"] = [millions / it for it in times]
    sums.add(native_peer([folder / "cpp", paths[1], paths[2]], 0)[3])
    few, laps = positions[:50_000].tolist(), []
    for _ in range(arguments.rounds):
        converting, looking, _, classes = python_peer(s2cell.lat_lon_to_cell_id, few, ranges)
        laps.append(len(few) / 1e6 / (converting + looking))
        sums.add(checksum(classes))
    found["s2cell, one thread"] = laps
    if len(sums) != 1:
        sys.exit("the peers disagree")
    print(f"{len(positions)} positions, {len(ranges)} cells; the classes of the first 50,000 agree:")
    show(found, "M/s", 2)


def main():
    if sys.argv[1:2] == ["--run"]:
        kind, *rest = sys.argv[2:]
        if kind == "locate":
            *given, batch = rest
            return locate_python(*given, int(batch))
        return {"arrow": run_arrow, "lookups": run_lookups}[kind](*rest)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest="kind", required=True)
    for kind, names, photos, batch in [("locate", ["model", "folder"], 5000, 32), ("arrow", ["model", "folder"], 200, 8)]:
        one = kinds.add_parser(kind)
        one.add_argument("model")
        one.add_argument("folder", type=Path)
        one.add_argument("--photos", type=int, default=photos)
        one.add_argument("--batch", type=int, default=batch)
        one.add_argument("--rounds", type=int, default=5)
        one.add_argument("--engine", default="rten")
        one.add_argument("--peer-network", type=Path)
    lookups = kinds.add_parser("lookups")
    lookups.add_argument("geotags")
    lookups.add_argument("partition")
    lookups.add_argument("--positions", type=int, default=10_000_000)
    lookups.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        {"locate": bench_locate, "arrow": bench_arrow, "lookups": bench_lookups}[arguments.kind](arguments, Path(folder))


if __name__ == "__main__":
    main()
