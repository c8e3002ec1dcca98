"""The inbox of a batch: callbacks that came while the batch was not here, and how they get into it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Final

from mwbatch.core.facts import Fact, Seen
from mwbatch.errors import StoreError
from mwbatch.journal.disk import DISK
from mwbatch.journal.home import INBOX
from mwbatch.journal.rejects import move
from mwbatch.journal.segment import Harm
from mwbatch.journal.segments import Segments

CHUNK: Final = 500
"""Facts that are moved at a time: answers may be long."""

Keep = Callable[[Sequence[Fact]], Awaitable[int]]
"""Makes facts durable in the batch; returns how many were new."""


def inboxes(home: Path) -> list[str]:
    """The ids of the batches of a home that have an inbox; none where nobody can tell."""
    try:
        return sorted(path.name for path in (home / INBOX).iterdir())
    except OSError:
        return []


async def merge(inbox: Path, journal: Segments, keep: Keep) -> int:
    """Move what an inbox holds into the journal of its batch by ``keep``; returns how many facts were new.

    A segment of the inbox is removed once nobody writes it, unless it is damaged: then it is evidence.

    Raises:
        StoreError: something cannot be read or written, or somebody changed the batch meanwhile; all is there still.
    """
    there = Segments(inbox, "inbox")
    # MUST be asked before reading: what a receiver writes later stands in segments that are kept.
    done = await asyncio.to_thread(there.dead_segments)
    facts, plain, new = there.read(), dict[Fact, None](), 0
    while chunk := await asyncio.to_thread(lambda: list(islice(facts, CHUNK))):
        plain |= dict.fromkeys(fact for fact in chunk if _is_plain(fact))
        new += await keep([fact for fact in chunk if not _is_plain(fact)])
    new += await keep(await asyncio.to_thread(_unknown, journal, plain))
    # MUST be seen before anything is removed: what the journal knows may be gone from the disk, and be here alone.
    if not await asyncio.to_thread(journal.stands):
        raise StoreError(f"{journal.folder} was changed while {inbox} was taken in; take it in again")
    damaged = {damage.path for damage in there.damage if damage.harm is Harm.DAMAGED}
    for path in done:
        if path not in damaged:
            DISK.remove(path)  # or another process, which takes in the same
    with suppress(StoreError):  # they count where they are
        await asyncio.to_thread(move, inbox, journal.folder)
    return new


def _unknown(journal: Segments, plain: dict[Fact, None]) -> list[Fact]:
    """Those of some tasks without an answer that the journal lacks: segments that stay are read again each time.

    The journal itself knows an answer again, and nothing but an answer.
    """
    if plain:
        for fact in journal.read_journal(Seen):
            plain.pop(fact, None)
    return list(plain)


def _is_plain(fact: Fact) -> bool:
    """Whether this is a task that was seen without an answer."""
    return isinstance(fact, Seen) and fact.answer is None
