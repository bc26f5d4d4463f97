"""The commands of a Markdown document, and the output that it shows below them.

In a block between fences, a line that begins with `$ ` is a command; where it ends with a backslash, the next
lines go on with it. The lines below are its output: a line `…` stands for any number of lines. Used by
scripts/check-readme and scripts/check-real-model-recipe.
"""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TIME = re.compile(r"^ *[0-9.]+ s  ")


def steps(document):
    """Commands with the output that the document shows, in its order."""
    found = []
    shown = None
    continued = False
    for line in (ROOT / document).read_text().splitlines():
        if line.startswith("```"):
            shown, continued = None, False
        elif continued:
            found[-1] = (f"{found[-1][0]}\n{line}", shown)
            continued = line.endswith("\\")
        elif line.startswith("$ "):
            shown = []
            found.append((line[2:], shown))
            continued = line.endswith("\\")
        elif shown is not None and line:
            shown.append(line)
    return found


def agrees(shown, printed):
    """Whether the printed lines are the shown ones, where `…` is any number of lines."""
    if not shown:
        return not printed
    if shown[0] == "…":
        return any(agrees(shown[1:], printed[at:]) for at in range(len(printed) + 1))
    return bool(printed) and shown[0].rstrip() == printed[0].rstrip() and agrees(shown[1:], printed[1:])


def is_as_shown(shown, printed):
    """Whether a command printed what the document shows, apart from lines that state times; a command
    without shown output may print anything."""
    def lines(of):
        return [line for line in of if line and not TIME.match(line)]

    return not shown or agrees(lines(shown), lines(printed.splitlines()))


class Shell:
    """Runs commands in one folder, where `planet` is this binary."""

    def __init__(self, planet, folder):
        self.folder = folder
        self.path = Path(tempfile.mkdtemp(prefix="planet-path-"))
        (self.path / "planet").symlink_to(planet.resolve())
        self.environment = dict(os.environ, PATH=f"{self.path}:{os.environ['PATH']}", NO_COLOR="1")

    def start(self, command):
        """A process of its own group, so that a signal reaches all of a command and nothing else."""
        return subprocess.Popen(["bash", "-c", command], cwd=self.folder, env=self.environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)

    def run(self, command):
        """Standard output, standard error and the exit code."""
        process = self.start(command)
        out, err = process.communicate()
        return out, err, process.returncode

    def close(self):
        shutil.rmtree(self.path)
