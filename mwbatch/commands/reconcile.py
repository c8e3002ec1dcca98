"""Reconciling: what is on disk, what the API has, and what the manifest says, brought to one account."""

import asyncio
from dataclasses import dataclass, field

from mwbatch.core.facts import Fact
from mwbatch.core.progress import Report
from mwbatch.errors import Exit
from mwbatch.journal.home import Home
from mwbatch.journal.opened import Opened
from mwbatch.journal.segments import Segments


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What a reconciliation found and did."""

    report: Report
    fetched: int = 0
    taken_in: int = 0
    gravest: Exit = Exit.DONE
    reasons: tuple[str, ...] = field(default=())

    @property
    def exit(self) -> Exit:
        """Done when nothing is planned, doubtful or pending."""
        return max(self.gravest, self.report.exit(done=not self.report.unfinished))


async def take_in(batch: Opened, home: Home) -> int:
    """Move what the inbox holds for this batch into its own journal; returns how many facts were new."""
    folder = home.inbox(batch.card.batch_id)
    if not folder.is_dir():
        return 0
    inbox = Segments(folder, "inbox")
    # MUST be asked before reading: what a receiver writes later stands in segments that are kept.
    done = await asyncio.to_thread(inbox.dead_segments)
    facts: list[Fact] = await asyncio.to_thread(lambda: list(inbox.read()))
    new = await batch.journal.append(facts)
    for fact in facts:
        batch.state.add(fact)
    for path in done:
        path.unlink()
    return sum(new)
