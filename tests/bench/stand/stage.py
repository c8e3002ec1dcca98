"""Where creators play: manifests, homes that are new in each round,
and the null server that holds the clock.
"""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import urlopen

from tests.bench.creators import KEY
from tests.bench.report.figures import Round
from tests.bench.stand.children import start

Command = Callable[[str, Path, int], list[str]]


class Stage:
    """``place`` is a folder for everything that is made, ``url`` the null server's."""

    def __init__(self, place: Path, url: str) -> None:
        self._place, self._url = place, url

    def phase(self, command: Command, rows: int, in_flight: int) -> Round:
        """The creating phase of one run, by the null server's clock."""
        with TemporaryDirectory(dir=self._place) as home:
            self._ask(f"begin?rows={rows}")
            running = self._start(command, rows, in_flight, home)
            early = self._ask(f"watch?pid={running.pid}")["requests"]
            _end(running)
        told = self._ask("phase")
        if told["requests"] != rows or early:
            raise RuntimeError(f"{told['requests']} of {rows} creates arrived, {early} too early")
        busy = told["own"] / told["seconds"]
        return Round(rows, told["seconds"], told["cpu"], {"null server busy": busy})

    def whole(self, command: Command, rows: int, in_flight: int) -> Round:
        """One run from the start of the process to its end."""
        with TemporaryDirectory(dir=self._place) as home:
            self._ask(f"begin?rows={rows}")
            began = time.perf_counter()
            running = self._start(command, rows, in_flight, home)
            spent = _end(running)
            seconds = time.perf_counter() - began
        if (came := self._ask("phase")["requests"]) != rows:
            raise RuntimeError(f"{came} of {rows} creates arrived")
        return Round(rows, seconds, spent)

    def _start(self, command: Command, rows: int, in_flight: int, home: str) -> Popen[str]:
        env = {"MWBATCH_HOME": home, "MICROWORK_API_KEY": KEY}
        return start(command(self._url, self._manifest(rows), in_flight), env)

    def _manifest(self, rows: int) -> Path:
        path = self._place / f"shelves-{rows}.csv"
        if not path.exists():
            lines = (
                f"shelf-{n:06d},https://images.example.com/shelves/{n:06d}.jpg,spring\n" for n in range(rows)
            )
            path.write_text("id,image_url,campaign\n" + "".join(lines), encoding="utf-8")
        return path

    def _ask(self, what: str) -> Any:
        with urlopen(f"{self._url}/_null/{what}") as answer:
            return json.load(answer)


def _end(running: "Popen[str]") -> float:
    """Wait for the end of a process; returns its seconds of processor time."""
    assert running.stderr is not None
    words = running.stderr.read()
    _, status, used = os.wait4(running.pid, 0)
    running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode:
        raise RuntimeError(f"{running.args!r} ended with {running.returncode}: {words}")
    return used.ru_utime + used.ru_stime
