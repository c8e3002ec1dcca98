"""Settling doubt: presence is recorded wherever it shows, absence only after two valid sweeps far enough apart."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from mwbatch.client import Client
from mwbatch.commands.desk import Desk
from mwbatch.commands.sweeping import Swept, sweep
from mwbatch.core.advice import rows
from mwbatch.core.doubt import SECOND_SWEEP, Doubt, Witness, doubts, interval_start
from mwbatch.core.facts import Failed, Started
from mwbatch.core.pace import backoff
from mwbatch.core.sweep import Place
from mwbatch.core.verdict import Verdict
from mwbatch.errors import ApiError
from mwbatch.journal.opened import Opened

TRIES = 8
"""How often a sweep that proves nothing is repeated before its rows stay in doubt."""


@dataclass(slots=True)
class Settled:
    """What became of the rows in doubt: ``found`` have a task after all, ``absent`` have none, ``open`` stay in doubt."""

    found: int = 0
    absent: list[int] = field(default_factory=list)
    open: int = 0
    reasons: list[str] = field(default_factory=list)

    def because(self, reason: str) -> None:
        """Keep a reason why something stays open, once."""
        if reason not in self.reasons:
            self.reasons.append(reason)


@dataclass(frozen=True, slots=True)
class Grounds:
    """What this process knows about doubt: when requests ended (ticks), a later task, and how long to wait (s).

    ``since`` is the tick at which the lock was taken: it counts for attempts that this process did not see end.
    """

    settle: float
    since: float
    ended: Mapping[int, float] = field(default_factory=dict)
    witness: Witness | None = None


async def settle(batch: Opened, client: Client, desk: Desk, grounds: Grounds) -> Settled:
    """Find out about every row in doubt, waiting as long as that takes.

    An attempt is closed as absent only when two valid sweeps, whose ends differ, did not find it: the first no earlier
    than the settle time after it ended, the second a fifth of that later, and no other process has seen it meanwhile.
    """
    result = Settled()
    there = in_doubt(batch, grounds)
    before = len(there)
    there = [doubt for doubt in there if _may_settle(batch, client, doubt, result)]
    if there and await _wait(
        desk, max(doubt.due(grounds.settle, grounds.witness) for doubt in there), len(there)
    ):
        first = await _valid(batch, client, desk, there, grounds, result)
        left = _still(batch, grounds, there)
        pause = desk.ticks() + SECOND_SWEEP * grounds.settle
        if first and left and await _wait(desk, pause, len(left)):
            second = await _valid(batch, client, desk, left, grounds, result, after=first.end)
            if second:
                await _close(batch, desk, _still(batch, grounds, left), first.forged | second.forged, result)
    result.open = len(in_doubt(batch, grounds))
    result.found = before - result.open - len(result.absent)
    return result


def in_doubt(batch: Opened, grounds: Grounds) -> list[Doubt]:
    """Every attempt in doubt, as the state has it now."""
    started = (fact for fact in batch.journal.read_journal() if isinstance(fact, Started))
    return doubts(batch.state, started, grounds.ended, grounds.since)


def _still(batch: Opened, grounds: Grounds, there: list[Doubt]) -> list[Doubt]:
    """Those of some attempts that are in doubt still."""
    open_ = {doubt.place for doubt in in_doubt(batch, grounds)}
    return [doubt for doubt in there if doubt.place in open_]


def _may_settle(batch: Opened, client: Client, doubt: Doubt, result: Settled) -> bool:
    """Whether a sweep by this client can say anything about an attempt at all."""
    if any(row.belied for row in batch.state.rows.values()):
        result.because(
            "a task showed up that sweeps had not found: --settle is too short, nothing more is settled here"
        )
        return False
    if not all(batch.card.echo.values()) or not batch.card.echo:
        result.because(
            "the listing was not seen to show our callback addresses, so it cannot prove that a task is absent"
        )
        return False
    if (doubt.started.origin, doubt.started.key) != (client.origin, client.key):
        result.because(
            "the API key is another one than when the requests were sent: its listing may be another account's"
        )
        return False
    return True


async def _wait(desk: Desk, until: float, count: int) -> bool:
    """Wait until a tick, with a countdown; False when the user asked to stop."""
    tally = desk.tally
    tally.done = tally.total = 0
    while (left := until - desk.ticks()) > 0:
        tally.phase = f"{rows(count)} in doubt, to be settled in {left:.0f} s"
        if await desk.sleep(min(1.0, left)):
            return False
    tally.phase = f"settling {rows(count)}"
    return not desk.stopping.is_set()


async def _valid(
    batch: Opened,
    client: Client,
    desk: Desk,
    there: list[Doubt],
    grounds: Grounds,
    result: Settled,
    after: str | None = None,
) -> Swept | None:
    """Sweep until a sweep is valid and ends later than ``after``; None, with the reason kept, when none will be."""
    start = interval_start(doubt.started.clock for doubt in there)
    must = [grounds.witness.task_id] if grounds.witness else []
    waits, reason = backoff(1.0, max(1.0, SECOND_SWEEP * grounds.settle)), ""
    for _ in range(TRIES):
        try:
            swept = await sweep(batch, client, desk, start, must)
            reason = "; ".join(swept.flaws)
            if not swept.flaws and (after is None or swept.end != after):
                return swept
        except ApiError as error:
            reason = str(error)
        if await desk.sleep(next(waits)):
            break
    result.because(f"no listing could be believed: {reason or 'interrupted'}")
    return None


async def _close(
    batch: Opened, desk: Desk, absent: list[Doubt], forged: frozenset[Place], result: Settled
) -> None:
    """Close attempts as absent, unless another process has seen something of them meanwhile."""
    await asyncio.to_thread(batch.refold)
    places = [
        doubt.place for doubt in absent if doubt.place.attempt in batch.state.rows[doubt.place.row].doubtful
    ]
    if forged & set(places):
        result.because("a task stands at an address of a row in doubt that is not signed by our keys")
    places = [place for place in places if place not in forged]
    message = "two listings, far enough apart, show no task of this attempt"
    await batch.record(
        [
            Failed(desk.now(), row, attempt, Verdict.ABSENT, final=False, message=message)
            for row, attempt in places
        ]
    )
    result.absent = sorted({place.row for place in places})
