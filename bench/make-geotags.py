#!/usr/bin/env python3
"""Makes a table of many photo positions by jittering the rows of a smaller one.

Each copy of a row is moved by a normal step of about 300 m, so that no two rows are alike.

    pip install numpy pyarrow
    bench/make-geotags.py ../shared/data/geotags/flickr-973k.parquet 126000000 geotags.parquet
"""

import sys

import numpy
import pyarrow
import pyarrow.csv
import pyarrow.parquet

ROWS_AT_ONCE = 1_000_000
STEP_DEGREES = 0.003


def batches(lat, lng, rows):
    random = numpy.random.default_rng(0)
    while rows > 0:
        count = min(rows, ROWS_AT_ONCE)
        picked = random.integers(0, len(lat), count)
        moved_lat = lat[picked] + random.normal(0, STEP_DEGREES, count)
        moved_lng = lng[picked] + random.normal(0, STEP_DEGREES, count)
        yield pyarrow.record_batch(
            {
                "lat": numpy.clip(moved_lat, -90, 90).round(6),
                "lng": ((moved_lng + 180) % 360 - 180).round(6),
            }
        )
        rows -= count


def main():
    source, rows, out = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    table = pyarrow.parquet.read_table(source, columns=["lat", "lng"]).drop_null()
    lat, lng = table["lat"].to_numpy(), table["lng"].to_numpy()
    schema = pyarrow.schema({"lat": pyarrow.float64(), "lng": pyarrow.float64()})
    if out.endswith(".csv"):
        writer = pyarrow.csv.CSVWriter(out, schema)
    else:
        writer = pyarrow.parquet.ParquetWriter(
            out, schema, compression="snappy", use_dictionary=False
        )
    with writer:
        for batch in batches(lat, lng, rows):
            writer.write_batch(batch)


if __name__ == "__main__":
    main()
