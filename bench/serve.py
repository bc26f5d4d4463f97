#!/usr/bin/env python3
"""planet serve beside the command, in one run: one photo at a time, and all that it sustains.

    bench/serve.py --model demo/model [--planet target/release/planet] [--engine rten] [--rounds 3] PHOTO...

For each photo: the time that one photo takes the command in a process that has seen it before (planet engine
bench --photo), and the median of a connection that sends it again and again; then photos per second of
planet locate, without its start, and of 16 connections. Standard library only.
"""

import argparse
import json
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

from overload import at, run

CONNECTIONS = 16


def start(options, port):
    command = [options.planet, "serve", "--model", options.model, "--port", str(port), "--engine", options.engine]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/health/ready").read()
            return server
        except OSError:
            time.sleep(0.1)
    server.kill()
    raise SystemExit("the server does not start")


def warm_ms(options, photo):
    command = [options.planet, "engine", "bench", "--json", "--photo", photo, options.model, "--engine", options.engine]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["photo_ms"]


def locate_seconds(options, photo, count):
    with tempfile.TemporaryDirectory() as folder:
        manifest = pathlib.Path(folder) / "photos.csv"
        manifest.write_text("photo\n" + f"{photo.relative_to('/')}\n" * count)
        command = [options.planet, "locate", manifest, "--root", "/", "--model", options.model,
                   "--engine", options.engine, "-o", f"{folder}/out.csv"]
        begun = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        return time.perf_counter() - begun


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("photos", nargs="+", type=pathlib.Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--planet", default="target/release/planet")
    parser.add_argument("--engine", default="rten")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8.0)
    options = parser.parse_args()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    for photo in (photo.resolve() for photo in options.photos):
        body = photo.read_bytes()
        rounds = {name: [] for name in ("command, warm ms", "server, median ms", "command, photos/s", "server, photos/s")}
        for _ in range(options.rounds):
            warm = warm_ms(options, photo)
            count = max(20, int(options.seconds * 2000 / warm))
            took = locate_seconds(options, photo, count) - locate_seconds(options, photo, 1)
            server = start(options, port)
            try:
                _, waits, _ = run(url, body, options.seconds / 2, 1)
                _, _, sustained = run(url, body, options.seconds, CONNECTIONS)
            finally:
                server.terminate()
                server.wait()
            for values, value in zip(rounds.values(), (warm, at(waits, 0.5), (count - 1) / took, sustained)):
                values.append(value)
        print(f"{photo.name}, {len(body) / 1e3:.0f} kB")
        for name, values in rounds.items():
            print(f"  {name:18} {statistics.median(values):8.2f}  ({min(values):.2f} to {max(values):.2f})")
        middle = [statistics.median(values) for values in rounds.values()]
        print(f"  waits {middle[1] - middle[0]:+.2f} ms longer, {middle[3] / middle[2]:.2f} of the throughput")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
