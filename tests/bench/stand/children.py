"""Processes of the benchmark: started, waited for, measured and ended."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.support.ports import free_port, listens

ROOT: Final = Path(__file__).parents[3]
PACKAGE: Final = "tests.bench"


def module(name: str, *words: object) -> list[str]:
    """The command that runs one module of this package."""
    return [sys.executable, "-m", f"{PACKAGE}.{name}", *map(str, words)]


def tool(*words: object) -> list[str]:
    """The command that runs the installed ``mwbatch``."""
    return [str(Path(sys.executable).with_name("mwbatch")), *map(str, words)]


def start(command: list[str], env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """Start a process whose standard output is read by us."""
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | (env or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def server(command: Callable[[int], list[str]]) -> Iterator[tuple[int, str]]:
    """A server on loopback at a port that it is told; gives its pid and URL once it listens, and ends it."""
    port = free_port()
    running = subprocess.Popen(
        command(port), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        while not listens(port):
            if running.poll() is not None:
                raise RuntimeError(f"{running.args!r} did not start: {running.communicate()[1]}")
            time.sleep(0.02)
        yield running.pid, f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.communicate()


def cpu(pid: int) -> float | None:
    """Seconds of processor time that a process has used, all its threads together;
    None where nobody can tell.

    On Linux every process is a clock: `clock_getcpuclockid(3)`, which Python does not have.
    """
    try:
        return time.clock_gettime(~pid << 3 | 2)
    except OSError:
        return None
