"""Plays tests in a copy of the tree, in a process that is forked where pytest, hypothesis and aiohttp are
imported already: half the time of a start, and a change costs little more than its start.
"""

import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from signal import SIGKILL
from typing import Final

import pytest

from tests.proof.mutants.handing import hand_down

LEAST_S: Final = 60.0
SLOWER: Final = 3.0
"""After so many seconds, and so many times what it took where nothing was changed, a test, or all that are
played, are taken for failed: a process waits for something that does not come any more.
"""

PRELOADED: Final = (
    *("pytest", "pytest_asyncio.plugin", "pytest_timeout", "hypothesis", "_hypothesis_pytestplugin"),
    *("aiofiles", "aiohttp.web", "click", "orjson", "rich.progress", "tenacity", "uvloop", "PIL.Image"),
)

IMPORTED: Final = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
"""The plugins are imported before pytest could rewrite what they assert."""

_FORKED: Final = get_context("forkserver")
_FORKED.set_forkserver_preload([*PRELOADED, __name__])


@dataclass(frozen=True, slots=True)
class Played:
    """How tests went: the first that failed, None where none did; and the seconds that it took."""

    failed: str | None
    seconds: float


class _First:
    """A plugin for pytest that notes the first test that fails, or the file that cannot be read."""

    def __init__(self, note: Path) -> None:
        self._note = note

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._see(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._see(report)

    def _see(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.failed and not self._note.exists():
            self._note.write_text(report.nodeid, encoding="utf-8")


def play(tree: Path, tests: Mapping[str, float]) -> Played:
    """Play tests in their order until one fails, or takes far longer than the seconds that are given."""
    note, began = tree.with_suffix(".failed"), time.monotonic()
    note.unlink(missing_ok=True)
    process = _FORKED.Process(target=_play, args=(tree, [*tests], note, longest(max(tests.values()))))
    process.start()
    assert process.pid is not None
    process.join(longest(sum(tests.values())))
    ended = process.exitcode
    _end(process.pid)
    process.join()
    failed = note.read_text(encoding="utf-8") if note.exists() else "(none ended)" if ended != 0 else None
    return Played(failed, time.monotonic() - began)


def longest(seconds: float) -> float:
    """How long may take what took so long where nothing was changed."""
    return LEAST_S + SLOWER * seconds


def _end(leader: int) -> None:
    """End a process and what it left behind."""
    with suppress(ProcessLookupError):
        os.killpg(leader, SIGKILL)


def _play(tree: Path, tests: Sequence[str], note: Path, longest_s: float) -> None:
    """In the process of its own: nothing of ours is imported from where this one was."""
    os.setsid()
    os.chdir(tree)
    os.environ["PYTHONPATH"] = str(tree)
    hand_down("PYTHONPATH")
    sys.path.insert(0, str(tree))
    for name in [name for name in sys.modules if name.partition(".")[0] in ("tests", "mwbatch")]:
        del sys.modules[name]
    silent = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(silent, stream)
    words = ["-x", "-q", "-p", "no:cacheprovider", "--timeout", str(longest_s), *IMPORTED, *tests]
    code = pytest.main(words, plugins=[_First(note)])
    sys.stdout.flush()
    os._exit(code)
