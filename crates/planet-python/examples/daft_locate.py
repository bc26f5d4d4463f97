"""Locates many photos with Daft: a class UDF, one model for each instance.

python daft_locate.py --model MODEL --photos photos.parquet --output found --workers 2
python daft_locate.py --model MODEL --photos 's3://bucket/folder/**/*.jpg' --as files --output found

--photos names Parquet files with a column `photo` of paths that every worker can read, or a column
`bytes`; with --as files, patterns of photos; with --as tar, patterns of tar shards of
.jpg files. All of them may lie in an S3-compatible store. The files are located in --parts, and the
output is a folder of Parquet files for each. On one machine, Daft gives up when a worker is killed:
then the part that was being located is begun again, and no other.
"""

import argparse
import io
import sys
import tarfile
from collections.abc import Iterator

import daft
import pyarrow as pa
from daft import col

from planet_geolocation import Model, to_arrow

# The columns of answers are those of a table without photos.
ANSWER = pa.struct([field for field in pa.schema(to_arrow([])) if field.name != "photo"])
# A part that fails so often fails the job.
ATTEMPTS = 3
PHOTO = daft.DataType.struct({"photo": daft.DataType.string(), "bytes": daft.DataType.binary()})


class Locate:
    """A worker: it opens the model once and locates batch after batch."""

    def __init__(self, model: str, threads: int) -> None:
        self.model = Model.load(model, threads=threads)

    @daft.method.batch(
        return_dtype=daft.DataType.from_arrow_type(ANSWER), unnest=True, batch_size=256
    )
    def locate(self, photo: daft.Series) -> pa.Array:
        table = pa.table({"photo": photo.to_arrow()})
        found = pa.table(self.model.locate_arrow(table, keep=[], batch_size=32))
        return found.to_struct_array().combine_chunks()


@daft.func(return_dtype=PHOTO, unnest=True)
def members(path: str, content: bytes) -> Iterator[dict[str, object]]:
    """The photos of a tar shard, a row for each."""
    with tarfile.open(fileobj=io.BytesIO(content)) as shard:
        for member in shard:
            if member.isfile() and member.name.endswith(".jpg"):
                photo = f"{path}!{member.name}"
                yield {"photo": photo, "bytes": shard.extractfile(member).read()}


def read(photos: list[str], kind: str) -> daft.DataFrame:
    """Rows with the name of a photo, and its bytes unless a Parquet file states paths."""
    if kind == "parquet":
        return daft.read_parquet(photos)
    files = daft.from_glob_path(photos)
    # A photo that cannot be read has no bytes, and its row an error; a shard ends the job.
    missing = "raise" if kind == "tar" else "null"
    content = daft.functions.download(col("path"), on_error=missing)
    if kind == "tar":
        return files.select(members(col("path"), content))
    return files.select(col("path").alias("photo"), content.alias("bytes"))


def parts(photos: list[str], number: int) -> list[list[str]]:
    """All files that the addresses name, in at most so many parts of about the same size."""
    files = sorted(daft.from_glob_path(photos).select("path").to_pydict()["path"])
    size = -(-len(files) // number)
    return [files[first : first + size] for first in range(0, len(files), size)]


def locate(files: list[str], output: str, arguments: argparse.Namespace) -> None:
    """Locates the photos of some files with workers of their own."""
    workers = daft.cls(Locate, use_process=True, max_concurrency=arguments.workers)
    locator = workers(arguments.model, arguments.threads)
    photos = read(files, arguments.kind)
    given = "bytes" if "bytes" in photos.column_names else "photo"
    kept = [column for column in photos.column_names if column != "bytes"]
    found = photos.select(*kept, locator.locate(photos[given]))
    found.write_parquet(output, write_mode="overwrite")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--photos", required=True, nargs="+", help="files or s3:// addresses")
    parser.add_argument("--as", dest="kind", choices=["parquet", "files", "tar"], default="parquet")
    parser.add_argument("--output", required=True, help="folder of Parquet files")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1, help="threads of each worker")
    parser.add_argument("--parts", type=int, default=8)
    arguments = parser.parse_args()

    for number, files in enumerate(parts(arguments.photos, arguments.parts)):
        for attempt in range(1, ATTEMPTS + 1):
            try:
                locate(files, f"{arguments.output}/part-{number:05}", arguments)
                break
            except Exception as error:
                if attempt == ATTEMPTS:
                    raise
                print(f"part {number} is begun again: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
