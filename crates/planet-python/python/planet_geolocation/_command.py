"""The command `planet`, carried by the extension module."""

import os
import signal
import sys

from . import _native


def main() -> None:
    """Runs the command with the arguments of this process and ends the process."""
    # The command handles Ctrl-C itself; Python's handler would wait for it to return.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Before any thread is started: ONNX Runtime must not record its use.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    start = [sys.executable, "-m", "planet_geolocation"]
    sys.exit(_native.main(start, ["planet", *sys.argv[1:]]))
