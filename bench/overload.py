#!/usr/bin/env python3
"""Sends planet serve more photos than it can locate, and says what became of them.

    planet serve --model demo/model --engine rten & bench/overload.py --pid $! PHOTO

First what one connection waits for an answer, then what the server sustains with 16 connections, then --times
as many requests a second for --seconds. Each answer must have the status 200 or 429; the exit code is 1
otherwise. With --pid the resident memory of the server is read from /proc while it is overloaded. Standard
library only.
"""

import argparse
import asyncio
import collections
import multiprocessing
import sys
import time
from urllib.parse import urlsplit


async def ask(host, port, body, until, pause, statuses, waits):
    """One connection that sends photos one after the other, at least `pause` seconds apart."""
    head = (
        f"POST /api/locate?top=1 HTTP/1.1\r\nHost: {host}:{port}\r\n"
        f"Content-Type: application/octet-stream\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    reader = writer = None
    while time.monotonic() < until:
        begun = time.monotonic()
        try:
            if writer is None:
                reader, writer = await asyncio.open_connection(host, port)
            writer.write(head + body)
            await writer.drain()
            answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = answer.split("content-length: ")[1].split("\r\n")[0]
            await reader.readexactly(int(length))
            statuses[answer.split(" ")[1]] += 1
            if answer.split(" ")[1] == "200":
                waits.append(time.monotonic() - begun)
            if "connection: close" in answer:
                writer.close()
                writer = None
        except (OSError, asyncio.IncompleteReadError) as error:
            statuses[type(error).__name__] += 1
            writer = None
        await asyncio.sleep(max(0.0, pause - (time.monotonic() - begun)))


def load(url, body, seconds, connections, pause, out):
    """A process of connections; puts statuses and waiting times into `out`."""

    async def all_of_them():
        statuses, waits = collections.Counter(), []
        address = urlsplit(url)
        until = time.monotonic() + seconds
        asks = (
            ask(address.hostname, address.port, body, until, pause, statuses, waits)
            for _ in range(connections)
        )
        await asyncio.gather(*asks)
        return statuses, waits

    out.put(asyncio.run(all_of_them()))


def run(url, body, seconds, connections, rate=None, processes=1, meanwhile=None):
    """Statuses, sorted waiting times of photos that were located, and requests a second."""
    out = multiprocessing.Queue()
    pause = connections / rate if rate else 0.0
    share = connections // processes
    workers = [
        multiprocessing.Process(target=load, args=(url, body, seconds, share, pause, out))
        for _ in range(processes)
    ]
    begun = time.monotonic()
    for worker in workers:
        worker.start()
    while meanwhile and time.monotonic() < begun + seconds:
        meanwhile()
        time.sleep(0.5)
    parts = [out.get() for _ in workers]
    took = time.monotonic() - begun
    statuses = sum((part[0] for part in parts), collections.Counter())
    waits = sorted(wait for part in parts for wait in part[1])
    return statuses, waits, sum(statuses.values()) / took


def resident(pid):
    """Resident memory of a process in MB."""
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    return 0.0


def at(waits, share):
    return 1e3 * waits[min(len(waits) - 1, int(share * len(waits)))] if waits else float("nan")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("photo")
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--pid", type=int, help="process of the server")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--times", type=float, default=10.0, help="times what is sustained")
    parser.add_argument("--connections", type=int, default=400)
    options = parser.parse_args()
    with open(options.photo, "rb") as file:
        body = file.read()

    _, waits, rate = run(options.url, body, 5, 1)
    print(f"one connection: {rate:.0f} photos/s, median {at(waits, 0.5):.1f} ms, 95 % within {at(waits, 0.95):.1f} ms")
    _, waits, sustained = run(options.url, body, 10, 16)
    print(f"16 connections: {sustained:.0f} photos/s, median {at(waits, 0.5):.1f} ms, 95 % within {at(waits, 0.95):.1f} ms")

    memory = []
    watch = (lambda: memory.append(resident(options.pid))) if options.pid else None
    wanted = options.times * sustained
    statuses, waits, rate = run(
        options.url, body, options.seconds, options.connections, wanted, 2, watch
    )
    print(f"overload: {rate:.0f} requests/s sent ({rate / sustained:.1f} times), {options.seconds:.0f} s")
    print("  " + ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items())))
    print(f"  located: {len(waits) / options.seconds:.0f} photos/s, median {at(waits, 0.5):.0f} ms, 99 % within {at(waits, 0.99):.0f} ms")
    if memory:
        print(f"  resident memory: {memory[0]:.0f} MB at the beginning, {max(memory):.0f} MB at most, {memory[-1]:.0f} MB at the end")
    return 0 if set(statuses) <= {"200", "429"} else 1


if __name__ == "__main__":
    sys.exit(main())
