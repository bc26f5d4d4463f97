"""Locates the photos of Parquet files with Daft: a class UDF, one model for each instance.

python daft_locate.py --model MODEL --photos photos.parquet --output found --workers 2

The input has a column `photo` of paths that every worker can read, or name a column of bytes with
--column. The output is a folder of Parquet files.
"""

import argparse

import daft
import pyarrow as pa

from planet_geolocation import Model, to_arrow

# The columns of answers are those of a table without photos.
ANSWER = pa.struct([field for field in pa.schema(to_arrow([])) if field.name != "photo"])


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--photos", required=True, nargs="+", help="Parquet files or folders")
    parser.add_argument("--column", default="photo", help="the column of paths or of bytes")
    parser.add_argument("--output", required=True, help="folder of Parquet files")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1, help="threads of each worker")
    arguments = parser.parse_args()

    workers = daft.cls(Locate, use_process=True, max_concurrency=arguments.workers)
    locator = workers(arguments.model, arguments.threads)
    photos = daft.read_parquet(arguments.photos)
    kept = [column for column in photos.column_names if column != "bytes"]
    found = photos.select(*kept, locator.locate(photos[arguments.column]))
    found.write_parquet(arguments.output)


if __name__ == "__main__":
    main()
