"""Locates the photos of Parquet files with Ray Data: one model for each worker.

python ray_locate.py --model MODEL --photos photos.parquet --output found --workers 2

The input has a column `photo` of paths that every worker can read, or a column `bytes`. The output
is a folder of Parquet files. A worker that is killed is started again, and its batches with it.
"""

import argparse

import pyarrow as pa
import ray

from planet_geolocation import Model


class Locate:
    """A worker: it opens the model once and locates batch after batch."""

    def __init__(self, model: str, threads: int) -> None:
        self.model = Model.load(model, threads=threads)

    def __call__(self, batch: pa.Table) -> pa.Table:
        return pa.table(self.model.locate_arrow(batch, batch_size=32))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--photos", required=True, nargs="+", help="Parquet files or folders")
    parser.add_argument("--output", required=True, help="folder of Parquet files")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1, help="threads of each worker")
    arguments = parser.parse_args()

    ray.init(ignore_reinit_error=True)
    # Reading and writing take no processor, so that the workers may have all of them.
    free = {"num_cpus": 0}
    photos = ray.data.read_parquet(arguments.photos, ray_remote_args=free)
    found = photos.map_batches(
        Locate,
        fn_constructor_args=(arguments.model, arguments.threads),
        batch_format="pyarrow",
        batch_size=256,
        num_cpus=arguments.threads,
        compute=ray.data.ActorPoolStrategy(size=arguments.workers),
    )
    found.write_parquet(arguments.output, ray_remote_args=free)


if __name__ == "__main__":
    main()
