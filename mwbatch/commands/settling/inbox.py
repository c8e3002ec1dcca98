"""The inbox: callbacks that came for a batch before it did."""

from collections.abc import Sequence

from mwbatch.core.facts.kinds import Fact
from mwbatch.journal.interface.open_batch import OpenBatch


async def take_in(batch: OpenBatch) -> int:
    """Move what the inbox holds for this batch into its own journal; returns how many facts were new."""

    async def keep(facts: Sequence[Fact]) -> int:
        new = await batch.journal.append(facts)
        for fact in facts:
            batch.state.add(fact)
        return sum(new)

    return await batch.own.take_in(keep)
