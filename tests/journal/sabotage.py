"""Sabotage: the journal with one of its safeguards taken out. The state machine must notice each."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from unittest.mock import patch

from mwbatch.core.facts import Fact
from mwbatch.journal.segment import Segment
from mwbatch.journal.segments import Segments, Shelf

_commit, _append, _write = Segments._commit, Segment.append, Shelf._write


def _nothing(*_: object) -> None:
    """Do nothing, and say that it went well."""


async def _know_at_once(
    journal: Segments, fresh: dict[str, list[Fact]], claimed: dict[bytes, asyncio.Future[None]]
) -> None:
    """Let the index know before the disk does."""
    assert journal._known is not None
    for key in claimed:
        journal._known.add(key)
    await _commit(journal, fresh, claimed)


async def _wait_for_nobody(
    journal: Segments, fresh: dict[str, list[Fact]], claimed: dict[bytes, asyncio.Future[None]]
) -> None:
    """Tell whoever waits for a copy in flight that it is stored, before it is."""
    for copy in claimed.values():
        copy.set_result(None)
    await asyncio.sleep(0)
    again = {key: asyncio.get_running_loop().create_future() for key in claimed}
    await _commit(journal, fresh, again)


def _forgive(segment: Segment, lines: bytes) -> None:
    """Append to a segment that has failed."""
    segment._poison = ""
    _append(segment, lines)


def _forgiving(shelf: Shelf, lines: bytes) -> None:
    """The same for a whole folder."""
    shelf._poison = ""
    _write(shelf, lines)


def _uncut(segment: Segment, lines: bytes) -> None:
    """Leave what a full disk took of the lines where it is."""
    with patch.object(segment._disk, "truncate", _nothing):
        _append(segment, lines)


SABOTAGE: Final[Mapping[str, Mapping[str, Any]]] = {
    "sync-does-nothing": {"tests.journal.crash.CrashDisk.sync": _nothing},
    "names-are-not-synced": {"tests.journal.crash.CrashDisk.sync_folder": _nothing},
    "index-before-commit": {"mwbatch.journal.segments.Segments._commit": _know_at_once},
    "copies-do-not-wait": {"mwbatch.journal.segments.Segments._commit": _wait_for_nobody},
    "append-after-error": {
        "mwbatch.journal.segment.Segment.append": _forgive,
        "mwbatch.journal.segments.Shelf._write": _forgiving,
    },
    "no-cutting-back": {"mwbatch.journal.segment.Segment.append": _uncut},
    "memory-is-believed": {"tests.journal.crash.CrashDisk.forget": _nothing},
    "nothing-is-learnt": {"mwbatch.journal.segments.Shelf.durable": lambda *_: iter(())},
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
