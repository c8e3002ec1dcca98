"""Runs of the command without its start, which costs more than most of them: forks of a process that has imported it.

What runs is a process of its own in every other way: argv, folder, environment, the three standard files, signals, exit.
"""

import atexit
import gc
import importlib
import json
import os
import pkgutil
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any, Final, NoReturn

from pydantic import TypeAdapter

from mwbatch.cli import main

_ROOMS: Final = ("cli", "commands", "views", "client", "callbacks", "journal", "simulator")
_LONG: Final = 60.0


class Warm:
    """The process that forks, one command at a time; it lives as long as the tests do."""

    def __init__(self) -> None:
        self._turn, (self._ours, theirs) = threading.Lock(), socket.socketpair()
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(theirs.fileno())], pass_fds=[theirs.fileno()]
        )
        theirs.close()
        atexit.register(self._end)

    def run(self, words: list[str], folder: Path, env: dict[str, str], stdin: bytes) -> tuple[int, str, str]:
        """Run ``mwbatch`` with these words to its end: exit code, standard output, standard error."""
        with self._turn, tempfile.TemporaryFile() as read:
            read.write(stdin)
            read.seek(0)
            with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
                told = json.dumps({"words": words, "folder": str(folder), "env": env}).encode()
                self._ours.sendall(len(told).to_bytes(4))
                socket.send_fds(self._ours, [told], [read.fileno(), out.fileno(), err.fileno()])
                self._ours.settimeout(_LONG)
                try:
                    code = int.from_bytes(self._ours.recv(4), signed=True)
                except TimeoutError:
                    self._process.kill()
                    raise
                return code, _all(out), _all(err)

    def _end(self) -> None:
        self._ours.close()
        self._process.wait(5)


def _all(file: Any) -> str:
    file.seek(0)
    told: str = file.read().decode()
    return told


def _serve(asked: socket.socket) -> None:
    """Fork once for each command that is asked for."""
    for room in _ROOMS:
        package = importlib.import_module(f"mwbatch.{room}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    TypeAdapter(str)  # which imports the rest of pydantic
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
    sys.exit(main())  # type: ignore[func-returns-value]


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
