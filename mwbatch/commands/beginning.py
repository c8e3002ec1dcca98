"""How a run begins: with a listing, and with trust in the folder restored where something speaks against it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from mwbatch.client import Client
from mwbatch.commands.desk import Desk
from mwbatch.commands.settling import Grounds, believed, wait_until
from mwbatch.commands.sweeping import Swept, glance
from mwbatch.core.advice import rows
from mwbatch.core.doubt import SECOND_SWEEP, WITHOUT_WITNESS
from mwbatch.core.drift import WIDE
from mwbatch.core.facts import Started
from mwbatch.core.span import Span
from mwbatch.core.times import http_time
from mwbatch.journal.harm import harm
from mwbatch.journal.home import place_of
from mwbatch.journal.opened import Opened

OVERLAP: Final = timedelta(minutes=1)
"""How far before the last recorded clock the first listing begins."""


@dataclass(frozen=True, slots=True)
class Past:
    """What earlier runs of a batch left in its journal: the last callback base, and the server's last clock."""

    base: str | None = None
    clock: str | None = None

    @classmethod
    def of(cls, batch: Opened) -> "Past":
        """Read the journal for it."""
        started = list(batch.journal.read_journal(Started))
        if not started:
            return cls()
        last = max(started, key=lambda fact: fact.at)
        return cls(last.base, last.clock)


async def catch_up(batch: Opened, client: Client, desk: Desk, past: Past) -> None:
    """Ask the API for its tasks since the last run.

    It proves key and origin, tells the server's clock, and shows tasks of which the journal does not know. Raises
    `ApiError` where the API refuses us or cannot be reached.
    """
    desk.tally.phase = "asking the API"
    clock = (await client.list_page(limit=1, fresh=True)).clock
    if batch.card.began is None:
        batch.keep(began=clock)
    if past.base is None:
        return
    last = http_time(past.clock)
    dated = last is not None and not batch.drift.is_wide
    new = await glance(batch, client, desk, last - OVERLAP - batch.drift.back if last and dated else None)
    if new:
        desk.tally.note(f"the API's listing told the journal something new about {rows(new)}")


async def restore_trust(batch: Opened, client: Client, desk: Desk, grounds: Grounds) -> str:
    """Sweep the batch's whole span where something speaks against its folder; returns why that failed, else nothing.

    A row may look as if it had never been sent although it was: nothing may be sent before this says so.
    """
    harms = harm(batch)
    if not harms:
        return ""
    for words in harms:
        desk.tally.note(f"warning: {words}")
    desk.tally.note("nothing is sent before the API's listing has shown what this folder may have forgotten")
    if not batch.card.echo or not all(batch.card.echo.values()):
        return "the folder cannot be trusted, and it was not seen that the listing shows our addresses; begin a new batch"
    if not await wait_until(desk, grounds.since + WITHOUT_WITNESS * grounds.settle, "the folder is"):
        return "interrupted"
    reasons: list[str] = []
    shown = await _show_all(batch, client, desk, grounds, reasons)
    if shown is None:
        return "; ".join(reasons) or "interrupted"
    # What the sweeps brought back has no start on disk: that is the same harm, not a new one.
    forgiven = dict.fromkeys((*batch.card.forgiven, *harms, *harm(batch)))
    batch.keep(forgiven=tuple(forgiven), place=place_of(batch.folder))
    desk.tally.note(f"two listings of {shown.tasks:,} tasks show all there is: the folder is trusted again")
    return ""


async def _show_all(
    batch: Opened, client: Client, desk: Desk, grounds: Grounds, reasons: list[str]
) -> Swept | None:
    """Two valid sweeps of the whole span, far enough apart; the second of them, or None with the reason kept."""
    span = Span((batch.card.began,), WIDE)
    first = await believed(batch, client, desk, span, grounds, reasons)
    if not first or not await wait_until(desk, desk.ticks() + SECOND_SWEEP * grounds.settle, "the folder is"):
        return None
    second = await believed(batch, client, desk, span, grounds, reasons, after=first)
    if first.forged or (second and second.forged):
        reasons.append("tasks stand at addresses of the batch that our keys did not sign; restore keys.json")
        return None
    return second
