"""Reconciling: what is on disk, what the API has, and what the manifest says, brought to one account."""

import asyncio
from dataclasses import dataclass

from mwbatch.client import Client
from mwbatch.commands.creating import pinned
from mwbatch.commands.desk import Desk
from mwbatch.commands.fetching import fetch
from mwbatch.core.facts import Fact
from mwbatch.core.fold import Status
from mwbatch.core.progress import Report
from mwbatch.errors import Exit
from mwbatch.journal.home import Home
from mwbatch.journal.opened import Opened, look
from mwbatch.journal.segment import Harm
from mwbatch.journal.segments import Segments


@dataclass(frozen=True, slots=True)
class Wait:
    """How to wait for what is pending: look again ``every`` so many seconds, for ``most`` seconds at most."""

    every: float = 30.0
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What a reconciliation found and did: answers ``fetched``, facts ``taken_in`` from the inbox."""

    report: Report
    fetched: int = 0
    taken_in: int = 0

    @property
    def exit(self) -> Exit:
        """Done when nothing is planned, doubtful or pending."""
        return self.report.exit(done=not self.report.unfinished)


async def reconcile(
    home: Home, client: Client | None, name: str, desk: Desk, wait: Wait | None = None
) -> Reconciled:
    """Bring a batch to one account: take in the inbox, fetch missing answers, count everything again from disk.

    Without a ``client`` no request is made. Raises `Halted` and `OtherApi` where the API is not ours to ask.
    """
    folder, card = home.find(name)
    if client is not None:
        pinned(card, client)
    batch = await look(home, folder, card, "reconcile")
    try:
        taken_in, fetched = await take_in(batch), 0
        if client is not None:
            fetched = await fetch_all(batch, client, desk, wait)
        await asyncio.to_thread(batch.refold)
        desk.tally.phase = ""
        return Reconciled(batch.report(), fetched, taken_in)
    finally:
        await batch.journal.close()


async def fetch_all(batch: Opened, client: Client, desk: Desk, wait: Wait | None) -> int:
    """Fetch the answers that are there; with ``wait`` look again until none is missing, or the time is up."""
    began, fetched = desk.ticks(), await fetch(batch, client, desk)
    while wait is not None and batch.state.by_status()[Status.PENDING]:
        if wait.most is not None and desk.ticks() - began + wait.every > wait.most:
            break
        desk.tally.phase = "waiting for answers"
        if await desk.sleep(wait.every):
            break
        await asyncio.to_thread(batch.refold)
        fetched += await fetch(batch, client, desk)
    return fetched


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
