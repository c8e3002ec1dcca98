"""Sabotage: the submitter with one of its safeguards taken out. The matrix must notice each."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import Any, Final
from unittest.mock import patch

from mwbatch.commands.sweeping import Swept
from mwbatch.core.facts import Started
from mwbatch.journal.opened import Opened

_refold = Opened.refold


async def _start_in_memory(batch: Opened, started: Started) -> None:
    """Let the state alone know what was started."""
    batch.state.add(started)


def _refold_once(batch: Opened) -> None:
    """Read everything when the batch is opened, and never again."""
    if not batch.state.rows:
        _refold(batch)


async def _wait_for_nothing(*_: Any) -> bool:
    return True


def _believe_at_once() -> Callable[..., Any]:
    """A listing that nobody asked for shows nothing, each time later than before."""
    ends = count()

    async def believe(*_: Any, **__: Any) -> Swept:
        return Swept(0, 0, 0, frozenset(), str(next(ends)), ())

    return believe


SABOTAGE: Final[Mapping[str, Mapping[str, Any]]] = {
    "started-not-written": {"mwbatch.journal.opened.Opened.start": _start_in_memory},
    "no-sweeps": {
        "mwbatch.commands.settling.sweep": _believe_at_once(),
        "mwbatch.commands.settling.believed": _believe_at_once(),
    },
    "no-validity": {"mwbatch.core.sweep.Sweep.flaws": lambda *_: []},
    "no-last-reading": {"mwbatch.journal.opened.Opened.refold": _refold_once},
    "no-settle": {"mwbatch.commands.settling.wait_until": _wait_for_nothing},
}
"""What is put in the place of what, for each safeguard."""


@contextmanager
def without(safeguard: str) -> Iterator[None]:
    """Play without one safeguard."""
    patches = [patch(target, stand_in) for target, stand_in in SABOTAGE[safeguard].items()]
    for one in patches:
        one.start()
    try:
        yield
    finally:
        for one in reversed(patches):
            one.stop()
