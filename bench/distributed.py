#!/usr/bin/env python3
"""Training by one, two and four processes on this machine, and how long they take to sum.

Generates photos, trains inception-mini at 96 px for an epoch as torchrun would start it, and prints
photos per second; then the seconds in which processes sum so many megabytes over loopback, and the
bytes a second that each of them sends. The cores of the machine are shared among the processes.

Build first, with the feature torch, and give the folder of the binaries:
  scripts/with-torch cargo build --release -p planet-cli -p planet-train --features torch --example sum_speed --bin planet
  scripts/with-torch python3 bench/distributed.py target/release
"""

import csv
import os
import pathlib
import socket
import subprocess
import sys
import tempfile

CONFIG = """architecture = "inception-mini"
size = 96
batch = 32
epochs = 1
backend = "torch"
dataset = "earth/manifest.parquet"
partition = "cells.csv"
"""


def free_port():
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


def run_all(commands):
    """Runs commands side by side; what the first one says on stdout."""
    running = [
        subprocess.Popen(arguments, env=env, cwd=folder, stdout=subprocess.PIPE, text=True)
        for arguments, env, folder in commands
    ]
    outputs = [process.communicate()[0] for process in running]
    if any(process.returncode for process in running):
        sys.exit("a process failed; what it said stands above")
    return outputs[0]


def train(planet, folder, ranks, threads):
    port = str(free_port())
    run = f"run-{ranks}-{threads}"
    commands = []
    for rank in range(ranks):
        env = os.environ | {
            "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": str(ranks),
            "RANK": str(rank), "LOCAL_RANK": str(rank), "LOCAL_WORLD_SIZE": str(ranks),
            "OMP_NUM_THREADS": str(threads),
        }
        commands.append(([planet, "train", "--config", "config.toml", "-o", run], env, folder))
    run_all(commands)
    with open(folder / run / "summary.csv", newline="") as file:
        return float(list(csv.DictReader(file))[-1]["photos_per_second"])


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    binaries = pathlib.Path(sys.argv[1]).resolve()
    planet = binaries / "planet"
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "config.toml").write_text(CONFIG)
        draw = [planet, "world", "draw", "--size", "96", "--photos", "1024", "--seed", "1"]
        subprocess.run([*draw, "-o", "earth"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        build = [planet, "partition", "build", "earth/manifest.parquet", "--split-above", "100"]
        keep = ["--keep-from", "5", "-o", "cells.csv"]
        subprocess.run([*build, *keep], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        print(f"{'processes':>10} {'threads each':>13} {'photos/s':>9}")
        for ranks, threads in [(1, cores), (1, 1), (2, max(cores // 2, 1)), (4, 1)]:
            speed = train(planet, folder, ranks, threads)
            print(f"{ranks:>10} {threads:>13} {speed:>9.1f}", flush=True)
    print(f"\n{'processes':>10} {'MB':>6} {'seconds':>8} {'MB/s sent by each':>18}")
    for ranks in (2, 4):
        for megabytes in (1, 25, 100):
            port = free_port()
            sum_speed = binaries / "examples" / "sum_speed"
            seconds = float(run_all([
                ([sum_speed, *map(str, (megabytes, rank, ranks, port))], os.environ, None)
                for rank in range(ranks)
            ]))
            sent = 2 * megabytes * (ranks - 1) / ranks / seconds
            print(f"{ranks:>10} {megabytes:>6} {seconds:>8.4f} {sent:>18.0f}", flush=True)


if __name__ == "__main__":
    main()
