"""Starting: the help and `mwbatch status`,
beside the import of the libraries that command lines are made with.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from mwbatch.journal.home.home import Home
from mwbatch.journal.interface.batch_info import BatchInfo
from tests.bench.report.figures import Figure, Round, compare
from tests.bench.stand.children import tool

SECTION: Final = "starting"
STARTS: Final = 5
"""Starts of a round."""

GOAL: Final = 1 / 1.5
MEASURE: Final = 'python -c "import typer, rich"'
WORDS: Final = (("--help",), ("submit", "--help"), ("status",), ("status", "bench"))
"""What is asked, of a home with one batch."""


def run(runs: int, say: Callable[[str], None]) -> Iterator[Figure]:
    """All rounds of this section."""
    with TemporaryDirectory(prefix="mwbatch-bench-") as place:
        env = {"PATH": os.environ["PATH"], "MWBATCH_HOME": place}
        Home(Path(place)).create(BatchInfo("bench", "bench23456", "http://127.0.0.1", "bench.csv", None, ()))
        plays = {MEASURE: partial(_round, [sys.executable, "-c", "import typer, rich"], env)}
        plays |= {" ".join(("mwbatch", *words)): partial(_round, tool(*words), env) for words in WORDS}
        for play in plays.values():  # whatever is yet to be compiled, and to come from the disk
            play()
        goals = dict.fromkeys([*plays][1:], GOAL)
        yield from compare(SECTION, "one process after another", plays, runs, say, goals)


def _round(command: Sequence[str], env: dict[str, str]) -> Round:
    """Start it again and again."""
    began, before = time.perf_counter(), os.times()
    for _ in range(STARTS):
        subprocess.run(command, env=env, check=True, capture_output=True)
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return Round(STARTS, time.perf_counter() - began, spent)
