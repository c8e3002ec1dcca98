"""The inbox: callbacks that came for a batch before its folder did."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from mwbatch.core.facts import Fact, Seen
from mwbatch.errors import StoreError
from mwbatch.journal.opened import Opened
from mwbatch.journal.rejects import move
from mwbatch.journal.segment import Harm
from mwbatch.journal.segments import Segments


async def take_in(batch: Opened) -> int:
    """Move what the inbox holds for this batch into its own journal; returns how many facts were new.

    A segment of the inbox is removed once nobody writes it, unless it is damaged: then it is evidence.
    """
    if not batch.inbox.is_dir():
        return 0
    inbox = Segments(batch.inbox, "inbox")
    # MUST be asked before reading: what a receiver writes later stands in segments that are kept.
    done = await asyncio.to_thread(inbox.dead_segments)
    facts: list[Fact] = await asyncio.to_thread(lambda: list(inbox.read()))
    facts = await asyncio.to_thread(_unknown, batch, facts)
    new = await batch.journal.append(facts)
    for fact in facts:
        batch.state.add(fact)
    damaged = {damage.path for damage in inbox.damage if damage.harm is Harm.DAMAGED}
    for path in done:
        if path not in damaged:
            path.unlink()
    with suppress(StoreError):  # they count where they are
        await asyncio.to_thread(move, batch.inbox, batch.folder)
    return sum(new)


def _unknown(batch: Opened, facts: Sequence[Fact]) -> list[Fact]:
    """The facts that the journal may lack: segments that stay are read again by each reconciliation.

    The journal itself knows an answer again, and nothing but an answer.
    """
    plain = dict.fromkeys(fact for fact in facts if _is_plain(fact))
    if plain:
        for fact in batch.journal.read_journal(Seen):
            plain.pop(fact, None)
    return [fact for fact in facts if not _is_plain(fact)] + list(plain)


def _is_plain(fact: Fact) -> bool:
    """Whether this is a task that was seen without an answer."""
    return isinstance(fact, Seen) and fact.answer is None
