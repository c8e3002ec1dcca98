"""Plays many schedules, on every core; each in its own folder and its own loop."""

import logging
import multiprocessing
import signal
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Final

from tests.proof.torture.schedules.schedule import Schedule
from tests.proof.torture.story import Ending, play

PATIENCE: Final = 30.0
"""Seconds of processor time, at most, for one schedule: most take a quarter of one,
however busy the machine is.
"""


def play_alone(schedule: Schedule) -> Ending:
    """Play one schedule; whatever is raised is a law that was broken."""
    with TemporaryDirectory(prefix="torture-") as folder:
        try:
            with _within(PATIENCE):
                return play(schedule, Path(folder))
        except Exception:  # noqa: BLE001 (the other schedules go on, and this one can be played again)
            return Ending(schedule, [f"nothing but errors of our own is raised:\n{traceback.format_exc()}"])


def play_all(schedules: Iterable[Schedule], cores: int = 2) -> Iterator[Ending]:
    """Play many, several at a time; they come in the order in which they were given."""
    # Forked after asyncio ran, a child would share its selector: each one MUST begin from nothing.
    with multiprocessing.get_context("spawn").Pool(cores, _quiet) as pool:
        yield from pool.imap(play_alone, schedules, chunksize=4)


def _quiet() -> None:
    """Kills tear lines, and every reader of them would say so."""
    logging.getLogger("mwbatch").setLevel(logging.CRITICAL)


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    """Interrupt what never ends, although time in there costs nothing."""

    def late(_: int, __: FrameType | None) -> None:
        raise RuntimeError(f"it did not end within {seconds:g} s of processor time")

    before = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
