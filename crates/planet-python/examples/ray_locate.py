"""Locates many photos with Ray Data: one model for each worker.

python ray_locate.py --model MODEL --photos photos.parquet --output found --workers 2
python ray_locate.py --model MODEL --photos s3://bucket/folder --as files --output found

--photos names Parquet files with a column `photo` of paths that every worker can read, or a column
`bytes`; with --as files, photos or folders of them; with --as tar, tar shards of .jpg files. All of
them may lie in an S3-compatible store. The output is a folder of Parquet files. A worker that is
killed is started again, and its batches with it.
"""

import argparse

import pyarrow as pa
import ray

from planet_geolocation import Model

# Reading and writing take no processor, so that the workers may have all of them.
FREE = {"num_cpus": 0}


class Locate:
    """A worker: it opens the model once and locates batch after batch."""

    def __init__(self, model: str, threads: int) -> None:
        self.model = Model.load(model, threads=threads)

    def __call__(self, batch: pa.Table) -> pa.Table:
        return pa.table(self.model.locate_arrow(batch, batch_size=32))


def read(photos: list[str], kind: str) -> ray.data.Dataset:
    """Rows with the name of a photo, and its bytes unless a Parquet file states paths."""
    if kind == "files":
        endings = ["jpg", "jpeg", "png", "webp", "gif"]
        files = ray.data.read_binary_files(
            photos, include_paths=True, file_extensions=endings, ray_remote_args=FREE
        )
        return files.rename_columns({"path": "photo"})
    if kind == "tar":
        members = ray.data.read_webdataset(
            photos, include_paths=True, decoder=None, ray_remote_args=FREE
        )
        return members.map(
            lambda it: {"photo": f"{it['path']}!{it['__key__']}.jpg", "bytes": it["jpg"]},
            num_cpus=0,
            # Without a limit, tasks that take no processor are as many as there are blocks.
            concurrency=2,
        )
    return ray.data.read_parquet(photos, ray_remote_args=FREE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--photos", required=True, nargs="+", help="files, folders or s3:// addresses")
    parser.add_argument("--as", dest="kind", choices=["parquet", "files", "tar"], default="parquet")
    parser.add_argument("--output", required=True, help="folder of Parquet files")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1, help="threads of each worker")
    arguments = parser.parse_args()

    ray.init(ignore_reinit_error=True)
    found = read(arguments.photos, arguments.kind).map_batches(
        Locate,
        fn_constructor_args=(arguments.model, arguments.threads),
        batch_format="pyarrow",
        batch_size=256,
        num_cpus=arguments.threads,
        compute=ray.data.ActorPoolStrategy(size=arguments.workers),
    )
    found.write_parquet(arguments.output, ray_remote_args=FREE)


if __name__ == "__main__":
    main()
