"""One process, measured by the kernel: seconds, processor seconds, the greatest resident set."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import IO, Final

PATIENCE: Final = 3600.0
"""Seconds that a process may take."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a process took: ``seconds`` by the clock, ``cpu`` seconds of all its threads,
    ``peak`` resident bytes.
    """

    seconds: float
    cpu: float
    peak: int

    def json(self) -> dict[str, float]:
        """The figures by their names."""
        return {name: round(value, 4) for name, value in asdict(self).items()}


def run(words: Sequence[str], env: Mapping[str, str], *, until: str = "", exits: int | None = 0) -> Taken:
    """Run a command to its end, or to the moment when it says ``until`` on standard error, when it is ended.

    Raises:
        RuntimeError: it exits with another code than ``exits``, where that is not None.
    """
    began = time.perf_counter()
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            words,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE if until else said,
        ) as started,
    ):
        if until:
            assert started.stderr is not None
            _read_to(started.stderr, until)
        seconds = time.perf_counter() - began
        if until:
            started.send_signal(signal.SIGTERM)
        _, status, used = os.wait4(started.pid, 0)
        started.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        if exits is not None and started.returncode not in ((0, 143) if until else (exits,)):
            raise RuntimeError(f"{' '.join(words)}: exit {started.returncode}\n{said.read().decode()}")
    if not until:
        seconds = time.perf_counter() - began
    return Taken(
        seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    )


def _read_to(file: IO[bytes], words: str) -> None:
    for text in file:
        if words in text.decode():
            return
    raise RuntimeError(f"it ended without saying: {words}")
