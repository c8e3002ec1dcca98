"""The inbox: callbacks that came for a batch before its folder did."""

import asyncio

from mwbatch.core.facts import Fact
from mwbatch.journal.opened import Opened
from mwbatch.journal.segment import Harm
from mwbatch.journal.segments import Segments


async def take_in(batch: Opened) -> int:
    """Move what the inbox holds for this batch into its own journal; returns how many facts were new.

    A segment of the inbox is removed once nobody writes it, unless it is damaged: then it is evidence.
    """
    folder = batch.home.inbox(batch.card.batch_id)
    if not folder.is_dir():
        return 0
    inbox = Segments(folder, "inbox")
    # MUST be asked before reading: what a receiver writes later stands in segments that are kept.
    done = await asyncio.to_thread(inbox.dead_segments)
    facts: list[Fact] = await asyncio.to_thread(lambda: list(inbox.read()))
    new = await batch.journal.append(facts)
    for fact in facts:
        batch.state.add(fact)
    damaged = {damage.path for damage in inbox.damage if damage.harm is Harm.DAMAGED}
    for path in done:
        if path not in damaged:
            path.unlink()
    return sum(new)
