"""Networks that are trained on a small synthetic earth of the demo's size and scored on new photos of it."""

import argparse
import subprocess
from pathlib import Path

from paired import Score

# The demo's, with a falling learning rate, so that the last epochs of all runs are comparable. Validation photos choose
# the checkpoint by the right cell.
CONFIG = """
architecture = "inception-mini"
size = 64
batch = 32
patience = 0
auxiliary_weight = 0.0
[learning_rate]
start = 0.1
schedule = "cosine"
[optimizer]
rule = { adagrad = { initial = 0.1, eps = 1e-10 } }
average = 0.999
"""


def argument_parser(doc, validation, epochs, seeds, epochs_help=None):
    """The arguments that experiments on small earths share, with their defaults."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("planet")
    parser.add_argument("out", type=Path)
    parser.add_argument("--photos", type=int, default=16_000, help="training photos")
    parser.add_argument("--validation", type=int, default=validation)
    parser.add_argument("--test", type=int, default=5_000)
    parser.add_argument("--epochs", type=int, default=epochs, help=epochs_help)
    parser.add_argument("--seeds", type=int, default=seeds)
    return parser


def classes(cells: Path):
    """Classes of a partition: its lines without comments and header."""
    return sum(not line.startswith("#") for line in cells.read_text().splitlines()) - 1


class SmallEarth:
    """Everything in one folder: photos and scores that are there are used again, a run that is there is resumed."""

    def __init__(self, binary, out: Path, photos):
        self.binary, self.out, self.count = binary, out, photos
        out.mkdir(parents=True, exist_ok=True)

    def planet(self, *words):
        subprocess.run([self.binary, *map(str, words)], check=True, stdout=subprocess.DEVNULL)

    def draw(self, name, photos, seed, side=64):
        """The manifest of new photos, of so many pixels on the longer side."""
        manifest = self.out / name / "manifest.parquet"
        if not manifest.exists():
            self.planet("--overwrite", "world", "draw", "--photos", photos, "--size", side, "--seed", seed, "-o", manifest.parent)
        return manifest

    def keep_from(self):
        """The demo's least number of photos of a cell, in proportion to the photos."""
        return max(2, round(20 / 16_000 * self.count))

    def cells(self, manifest, name="cells", times=1):
        """The demo's cells, in proportion to the photos, or with cells of up to so many times as many photos."""
        cells = self.out / f"{name}.csv"
        if not cells.exists():
            split = times * max(2, round(300 / 16_000 * self.count))
            self.planet("partition", "build", manifest, "--split-above", split, "--keep-from", self.keep_from(), "-o", cells)
        return cells

    def train(self, name, manifest, cells, epochs, seed, flags=(), config=CONFIG):
        """The package of a network."""
        run, model, file = (self.out / f"{name}{end}" for end in ("", "-model", ".toml"))
        if not model.exists():
            if run.exists():
                self.planet("train", "--resume", run)
            else:
                file.write_text(config)
                self.planet("train", "--config", file, "--dataset", manifest,
                            "--validation", self.out / "validation/manifest.parquet", "--partition", cells,
                            "--epochs", epochs, "--seed", seed, *flags, "-o", run)
            self.planet("export", run, "-o", model)
        return model

    def evaluate(self, name, model, flags=()):
        """The score of a package on the photos of `test`."""
        report = self.out / f"{name}-report"
        if not (report / "report.json").exists():
            self.planet("--overwrite", "evaluate", "--model", model, "--dataset", self.out / "test/manifest.parquet",
                        "--no-photos", *flags, "-o", report)
        return Score(report)
