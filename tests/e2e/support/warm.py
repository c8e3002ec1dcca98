"""Runs of the command without its start, which costs more than most of them:
forks of a process that has imported it.

What runs is a process of its own in argv, folder, environment, the three standard files, signals and exit.
What Python reads at its start (``PYTHON*``, the hash seed, the locale) it shares with the others, and one
runs at a time: whatever needs a start of its own, or a race, takes ``Stage.start``.
"""

import atexit
import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NoReturn

from mwbatch.cli import main

_ROOMS: Final = ("cli", "commands", "views", "client", "callbacks", "journal", "simulator")
_LONG: Final = 60.0
_MEASURED: Final = "COVERAGE_PROCESS_CONFIG"
"""The variable by which coverage, where it runs, measures what is started as well."""


class Warm:
    """The process that forks, one command at a time; it lives as long as the tests do."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._begin()
        atexit.register(self._end)

    def _begin(self) -> None:
        self._ours, theirs = socket.socketpair()
        self._ours.settimeout(_LONG)
        command = [sys.executable, "-m", __name__, str(theirs.fileno())]
        self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], start_new_session=True)
        theirs.close()

    def run(self, words: list[str], folder: Path, env: dict[str, str], stdin: bytes) -> tuple[int, str, str]:
        """Run ``mwbatch`` with these words to its end: exit code, standard output, standard error."""
        with self._turn, tempfile.TemporaryFile() as read:
            read.write(stdin)
            read.seek(0)
            with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
                told = json.dumps({"words": words, "folder": str(folder), "env": _measured() | env}).encode()
                try:
                    code = self._ran(told, [read.fileno(), out.fileno(), err.fileno()])
                except OSError:
                    self._kill()
                    self._begin()
                    raise
                return code, _all(out), _all(err)

    def _ran(self, told: bytes, files: list[int]) -> int:
        self._ours.sendall(len(told).to_bytes(4))
        socket.send_fds(self._ours, [told], files)
        if len(code := self._ours.recv(4)) < 4:
            raise ConnectionError("the process that forks the commands is gone")
        return int.from_bytes(code, signed=True)

    def _kill(self) -> None:
        """End it, and the command that it waits for."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(5)
        self._ours.close()

    def _end(self) -> None:
        self._ours.close()
        self._process.wait(5)


def _all(file: Any) -> str:
    file.seek(0)
    told: str = file.read().decode()
    return told


def _measured() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name == _MEASURED}


def _serve(asked: socket.socket) -> None:
    """Fork once for each command that is asked for."""
    for room in _ROOMS:
        package = importlib.import_module(f"mwbatch.{room}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            with suppress(ModuleNotFoundError):  # what an extra brings need not be installed
                importlib.import_module(module.name)
    gc.freeze()
    while head := asked.recv(4):
        told, files, _, _ = socket.recv_fds(asked, int.from_bytes(head), 3, socket.MSG_WAITALL)
        if not (pid := os.fork()):
            asked.close()
            _become(json.loads(told), files)
        for file in files:
            os.close(file)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        asked.sendall(code.to_bytes(4, signed=True))


def _become(told: dict[str, Any], files: list[int]) -> NoReturn:
    """Be the command that was asked for."""
    for ours, given in enumerate(files):
        os.dup2(given, ours)
        os.close(given)
    os.chdir(told["folder"])
    os.environ.clear()
    os.environ.update(told["env"])
    sys.argv = ["mwbatch", *told["words"]]
    if _measured():
        _measure_anew()
    sys.exit(main())  # type: ignore[func-returns-value]


def _measure_anew() -> None:
    """What runs from here on is noted as what the test of now passes, not as the one's that began us."""
    coverage = importlib.import_module("coverage")
    coverage.Coverage.current().stop()
    coverage.process_startup(force=True)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
