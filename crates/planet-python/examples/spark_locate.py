"""Locates the photos of Parquet files with Spark: mapInArrow, one model for each task.

spark-submit spark_locate.py --model MODEL --photos photos.parquet --output found

The input has a column `photo` of paths that every worker can read, or a column `bytes`. The output
is a folder of Parquet files. A task whose worker is killed runs again (spark.task.maxFailures).
"""

import argparse
import os
from collections.abc import Iterator

import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from planet_geolocation import Model, to_arrow


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--photos", required=True, help="Parquet file or folder")
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

    photos = spark.read.parquet(arguments.photos)
    # What Model.locate_arrow returns: the columns without the photos' bytes, and the answers.
    kept = [it for it in photos.limit(0).toArrow().schema if not pa.types.is_binary(it.type)]
    answers = [it for it in pa.schema(to_arrow([])) if it.name != "photo"]
    schema = from_arrow_schema(pa.schema([*kept, *answers]))
    photos.mapInArrow(locate, schema).write.mode("errorifexists").parquet(arguments.output)
    spark.stop()


if __name__ == "__main__":
    main()
