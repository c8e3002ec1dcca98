"""Signals where no event loop hears them: each ends what is done, at once, and has its own exit code."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from mwbatch.errors import Exit


class Terminated(KeyboardInterrupt):
    """SIGTERM, or the end of the terminal: as Ctrl-C, with another exit code."""


def interruption(stopped: BaseException) -> Exit:
    """The exit code of whoever ended all at once."""
    return Exit.TERMINATED if isinstance(stopped, Terminated) else Exit.INTERRUPTED


@contextmanager
def obeyed() -> Iterator[None]:
    """Whatever ends a program ends what the block does, which may wait for a pipe or a reader."""
    before = {signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler)}
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # who began it with nohup wants it to go on
            before[number] = signal.signal(number, _terminate)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def _terminate(*_: object) -> NoReturn:
    raise Terminated
