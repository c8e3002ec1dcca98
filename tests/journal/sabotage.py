"""Sabotage: the journal with one of its safeguards taken out. The state machine must notice each."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from unittest.mock import patch

from mwbatch.journal.appending import Appender
from mwbatch.journal.segment import Segment
from mwbatch.journal.shelf import Shelf

_claim, _append, _write = Appender._claim, Segment.append, Shelf._write


def _nothing(*_: object) -> None:
    """Do nothing, and say that it went well."""


def _know_at_once(
    appender: Appender, key: bytes, claimed: list[bytes], copies: list[asyncio.Future[None]]
) -> bool:
    """Let the index know before the disk does."""
    new = _claim(appender, key, claimed, copies)
    if new:
        assert appender._known is not None
        appender._known.add(key)
    return new


def _wait_for_nobody(
    appender: Appender, key: bytes, claimed: list[bytes], copies: list[asyncio.Future[None]]
) -> bool:
    """Tell whoever waits for a copy in flight that it is stored, before it is."""
    new = _claim(appender, key, claimed, copies)
    copies.clear()
    return new


def _forgive(segment: Segment, lines: bytes) -> None:
    """Append to a segment that has failed."""
    segment._poison = ""
    _append(segment, lines)


def _forgiving(shelf: Shelf, lines: bytes) -> None:
    """The same for a whole folder."""
    shelf._poison = None
    _write(shelf, lines)


def _uncut(segment: Segment, lines: bytes) -> None:
    """Leave what a full disk took of the lines where it is."""
    with patch.object(segment._disk, "truncate", _nothing):
        _append(segment, lines)


SABOTAGE: Final[Mapping[str, Mapping[str, Any]]] = {
    "sync-does-nothing": {"tests.journal.crash.CrashDisk.sync": _nothing},
    "names-are-not-synced": {"tests.journal.crash.CrashDisk.sync_folder": _nothing},
    "index-before-commit": {"mwbatch.journal.appending.Appender._claim": _know_at_once},
    "copies-do-not-wait": {"mwbatch.journal.appending.Appender._claim": _wait_for_nobody},
    "append-after-error": {
        "mwbatch.journal.segment.Segment.append": _forgive,
        "mwbatch.journal.shelf.Shelf._write": _forgiving,
    },
    "no-cutting-back": {"mwbatch.journal.segment.Segment.append": _uncut},
    "memory-is-believed": {"tests.journal.crash.CrashDisk.forget": _nothing},
    "nothing-is-learnt": {"mwbatch.journal.shelf.Shelf.durable": lambda *_: iter(())},
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
