"""The real command on a terminal of a chosen width."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from contextlib import suppress
from typing import Final

from tests.e2e.stage import COMMAND, Ran, Stage

ESCAPES: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")


def on_terminal(stage: Stage, columns: int, *words: str, answer: bytes = b"", **env: str) -> Ran:
    """Run a command whose three streams are one terminal; ``out`` is all that the terminal got.

    ``answer`` is typed when a question is asked.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    there = stage.env | {"TERM": "xterm-256color"} | env
    with subprocess.Popen(
        [COMMAND, *words],
        cwd=stage.folder,
        env=there,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 (only so does Ctrl-C reach it)
    ) as started:
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # Linux says EIO when the last process has left the terminal
            while block := os.read(ours, 65536):
                shown += block
                if answer and b"[y/N]" in shown:
                    os.write(ours, answer)
                    answer = b""
        os.close(ours)
    return Ran(started.returncode, shown.decode(), "")


def lines(shown: str) -> list[str]:
    """What stood on the terminal's lines at any time, without escape codes."""
    return re.split(r"[\r\n]+", ESCAPES.sub("", shown))
