"""Locates many photos with Spark: mapInArrow, one model for each task.

spark-submit spark_locate.py --model MODEL --photos photos.parquet --output found
spark-submit spark_locate.py --model MODEL --photos s3a://bucket/folder --as files --output found

--photos names Parquet files with a column `photo` of paths that every worker can read, or a column
`bytes`; with --as files, folders of photos; with --as tar, tar shards of .jpg files of at most 2 GB.
All of them may lie in an S3-compatible store (s3a://, with the package hadoop-aws). The output is a
folder of Parquet files. A task whose worker is killed runs again (spark.task.maxFailures).
"""

import argparse
import io
import os
import tarfile
from collections.abc import Iterator

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import col
from pyspark.sql.pandas.types import from_arrow_schema

from planet_geolocation import Model, to_arrow


def members(shards: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The photos of tar shards, a batch for each 256."""
    names: list[str] = []
    contents: list[bytes] = []
    for batch in shards:
        for path, content in zip(*batch.to_pydict().values(), strict=True):
            with tarfile.open(fileobj=io.BytesIO(content)) as shard:
                for member in shard:
                    if member.isfile() and member.name.endswith(".jpg"):
                        names.append(f"{path}!{member.name}")
                        contents.append(shard.extractfile(member).read())
                    if len(names) == 256:
                        yield pa.record_batch({"photo": names, "bytes": contents})
                        names, contents = [], []
    if names:
        yield pa.record_batch({"photo": names, "bytes": contents})


def read(spark: SparkSession, photos: list[str], kind: str) -> DataFrame:
    """Rows with the name of a photo, and its bytes unless a Parquet file states paths."""
    if kind == "parquet":
        return spark.read.parquet(*photos)
    files = spark.read.format("binaryFile").option("recursiveFileLookup", True)
    endings = "*.tar" if kind == "tar" else "*.{jpg,jpeg,png,webp,gif,JPG,JPEG,PNG}"
    found = files.option("pathGlobFilter", endings).load(photos)
    found = found.select(col("path").alias("photo"), col("content").alias("bytes"))
    return found.mapInArrow(members, found.schema) if kind == "tar" else found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--photos", required=True, nargs="+", help="files, folders or s3a:// addresses")
    parser.add_argument("--as", dest="kind", choices=["parquet", "files", "tar"], default="parquet")
    parser.add_argument("--output", required=True, help="folder of Parquet files")
    parser.add_argument("--master", help="for example local[2,4]: two workers, four attempts")
    parser.add_argument("--threads", type=int, default=1, help="threads of each worker")
    arguments = parser.parse_args()
    folder, threads = os.path.abspath(arguments.model), arguments.threads

    builder = SparkSession.builder.appName("PlaNet")
    if arguments.master:
        builder = builder.master(arguments.master)
    spark = builder.getOrCreate()
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "256")

    def locate(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        model = Model.load(folder, threads=threads)
        for batch in batches:
            yield pa.record_batch(model.locate_arrow(batch, batch_size=32))

    photos = read(spark, arguments.photos, arguments.kind)
    # What Model.locate_arrow returns: the columns without the photos' bytes, and the answers.
    columns = photos.limit(0).toArrow().schema
    kept = [it for it in columns if not pa.types.is_binary(it.type)]
    answers = [it for it in pa.schema(to_arrow([])) if it.name != "photo"]
    schema = from_arrow_schema(pa.schema([*kept, *answers]))
    photos.mapInArrow(locate, schema).write.mode("errorifexists").parquet(arguments.output)
    spark.stop()


if __name__ == "__main__":
    main()
