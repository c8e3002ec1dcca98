"""Sabotage: the journal with one of its safeguards taken out. The state machine must notice each."""

import asyncio
from typing import Final
from unittest.mock import patch

from mwbatch.core.facts.kinds import Fact
from mwbatch.journal.segments.append import Key
from mwbatch.journal.segments.segment import OwnSegment, Segment
from mwbatch.journal.segments.writer import Writer
from tests.support.sabotage import Sabotage

_claim, _append, _write = Writer._claim, Segment.append, OwnSegment.append


def _nothing(*_: object) -> None:
    """Do nothing, and say that it went well."""


def _know_at_once(
    writer: Writer, fact: Fact, key: bytes | None, claims: list[Key], copies: list[asyncio.Future[None]]
) -> bool:
    """Let the index know before the disk does."""
    new = _claim(writer, fact, key, claims, copies)
    if new and key:
        writer._known.add(key)
    return new


def _wait_for_nobody(
    writer: Writer, fact: Fact, key: bytes | None, claims: list[Key], copies: list[asyncio.Future[None]]
) -> bool:
    """Tell whoever waits for a copy in flight that it is stored, before it is."""
    new = _claim(writer, fact, key, claims, copies)
    copies.clear()
    return new


def _forgive(segment: Segment, lines: bytes) -> None:
    """Append to a segment that has failed."""
    segment._poison = ""
    _append(segment, lines)


def _forgiving(own: OwnSegment, lines: bytes) -> None:
    """The same for a whole folder."""
    own._poison = None
    _write(own, lines)


def _uncut(segment: Segment, lines: bytes) -> None:
    """Leave what a full disk took of the lines where it is."""
    with patch.object(segment._disk, "truncate", _nothing):
        _append(segment, lines)


SABOTAGE: Final[Sabotage] = {
    "sync-does-nothing": {"tests.unit.journal.laws.crash.CrashDisk.sync": _nothing},
    "names-are-not-synced": {"tests.unit.journal.laws.crash.CrashDisk.sync_folder": _nothing},
    "index-before-commit": {"mwbatch.journal.segments.writer.Writer._claim": _know_at_once},
    "copies-do-not-wait": {"mwbatch.journal.segments.writer.Writer._claim": _wait_for_nobody},
    "append-after-error": {
        "mwbatch.journal.segments.segment.Segment.append": _forgive,
        "mwbatch.journal.segments.segment.OwnSegment.append": _forgiving,
    },
    "no-cutting-back": {"mwbatch.journal.segments.segment.Segment.append": _uncut},
    "memory-is-believed": {"tests.unit.journal.laws.crash.CrashDisk.forget": _nothing},
    "nothing-is-learnt": {"mwbatch.journal.segments.folders.Folder.durable": lambda *_: iter(())},
}
