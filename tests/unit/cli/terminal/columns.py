"""The real command on a terminal of a chosen width."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from tests.e2e.support.stage import COMMAND, Ran, Stage

ESCAPES: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
PATIENCE: Final = 60.0
"""Seconds after which a command on a terminal is killed."""

COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")


def on_terminal(
    stage: Stage,
    columns: int,
    *words: str,
    ahead: bytes = b"",
    answer: bytes = b"",
    typed: Sequence[tuple[bytes, bytes | signal.Signals]] = (),
    **env: str,
) -> Ran:
    """Run a command whose three streams are one terminal; ``out`` is all that the terminal got.

    ``ahead`` is typed before it begins, ``answer`` when a question is asked; of ``typed`` each when the words
    before it have come since the last, or sent, where it is a signal.
    """
    keys: list[tuple[bytes, bytes | signal.Signals]] = [*([(b"[y/N]", answer)] if answer else ()), *typed]
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    modes = termios.tcgetattr(theirs)
    modes[3] |= (
        termios.NOFLSH
    )  # else Ctrl-C throws away what was printed, and was not read here yet: half a line, half a code
    termios.tcsetattr(theirs, termios.TCSANOW, modes)
    os.write(ours, ahead)
    there = stage.env | {"TERM": "xterm-256color"} | env
    with subprocess.Popen(
        [COMMAND, *words],
        cwd=stage.folder,
        env=there,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        # only so does Ctrl-C reach it
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
    ) as started:
        os.close(theirs)
        shown, seen = b"", 0
        end = time.monotonic() + PATIENCE
        with suppress(OSError):  # Linux says EIO when the last process has left the terminal
            while select.select([ours], [], [], max(0.0, end - time.monotonic()))[0] and (
                block := os.read(ours, 65536)
            ):
                shown += block
                if keys and (place := shown.find(keys[0][0], seen)) >= 0:
                    seen = place + len(keys[0][0])
                    key = keys.pop(0)[1]
                    os.write(ours, key) if isinstance(key, bytes) else started.send_signal(key)
        os.close(ours)
        if time.monotonic() >= end:
            started.kill()
    return Ran(started.returncode, shown.decode(), "")


def lines(shown: str) -> list[str]:
    """What stood on the terminal's lines at any time, without escape codes."""
    return re.split(r"[\r\n]+", ESCAPES.sub("", shown))
