"""The inbox: callbacks that came for a batch before its folder did."""

import asyncio
from contextlib import suppress
from itertools import islice
from typing import Final

from mwbatch.core.facts import Fact, Seen
from mwbatch.errors import StoreError
from mwbatch.journal.opened import Opened
from mwbatch.journal.rejects import move
from mwbatch.journal.segment import Harm
from mwbatch.journal.segments import Segments

CHUNK: Final = 500
"""Facts that are moved at a time: answers may be long."""


async def take_in(batch: Opened) -> int:
    """Move what the inbox holds for this batch into its own journal; returns how many facts were new.

    A segment of the inbox is removed once nobody writes it, unless it is damaged: then it is evidence.
    """
    if not batch.inbox.is_dir():
        return 0
    inbox = Segments(batch.inbox, "inbox")
    # MUST be asked before reading: what a receiver writes later stands in segments that are kept.
    done = await asyncio.to_thread(inbox.dead_segments)
    facts, plain, new = inbox.read(), dict[Fact, None](), 0
    while chunk := await asyncio.to_thread(lambda: list(islice(facts, CHUNK))):
        plain |= dict.fromkeys(fact for fact in chunk if _is_plain(fact))
        new += await _keep(batch, [fact for fact in chunk if not _is_plain(fact)])
    new += await _keep(batch, await asyncio.to_thread(_unknown, batch, plain))
    damaged = {damage.path for damage in inbox.damage if damage.harm is Harm.DAMAGED}
    for path in done:
        if path not in damaged:
            path.unlink()
    with suppress(StoreError):  # they count where they are
        await asyncio.to_thread(move, batch.inbox, batch.folder)
    return new


async def _keep(batch: Opened, facts: list[Fact]) -> int:
    """Make facts durable and known; returns how many were new."""
    new = await batch.journal.append(facts)
    for fact in facts:
        batch.state.add(fact)
    return sum(new)


def _unknown(batch: Opened, plain: dict[Fact, None]) -> list[Fact]:
    """Those of some tasks without an answer that the journal lacks: segments that stay are read again each time.

    The journal itself knows an answer again, and nothing but an answer.
    """
    if plain:
        for fact in batch.journal.read_journal(Seen):
            plain.pop(fact, None)
    return list(plain)


def _is_plain(fact: Fact) -> bool:
    """Whether this is a task that was seen without an answer."""
    return isinstance(fact, Seen) and fact.answer is None
