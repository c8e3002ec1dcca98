"""Settling doubt: presence is recorded wherever it shows, absence only after two valid sweeps far enough apart."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

from mwbatch.client import Client
from mwbatch.commands.desk import Desk
from mwbatch.commands.fetching import Found, Open, look
from mwbatch.commands.sweeping import Swept, sweep
from mwbatch.core.doubt import SECOND_SWEEP, Doubt, Witness, doubts, span_of
from mwbatch.core.facts import Failed, Started
from mwbatch.core.fold import Status
from mwbatch.core.hosts import known
from mwbatch.core.pace import backoff
from mwbatch.core.plural import rows
from mwbatch.core.span import Span
from mwbatch.core.sweep import Place, Sight
from mwbatch.core.verdict import Verdict
from mwbatch.errors import ApiError, Refused
from mwbatch.journal.opened import Opened

TRIES: Final = 8
"""How often a sweep that proves nothing is repeated before its rows stay in doubt."""

BELIED: Final = (
    "a task showed up that sweeps had not found: --settle is too short for this API, nothing more is settled"
)


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

    ``since`` is the tick at which the lock was taken: it counts for attempts that this process did not see end; ``sent``
    the one at which the last of its own requests ended, None while there was none.
    """

    settle: float
    since: float
    ended: Mapping[int, float] = field(default_factory=dict)
    witness: Witness | None = None
    sent: float | None = None

    def tied(self, batch: Opened) -> "Grounds":
        """The same without a witness that is another row's task after all: that one may be older than any doubt."""
        witness = self.witness
        known = witness and batch.state.task(witness.row, witness.task_id)
        return replace(self, witness=None) if known and known.strange else self


async def settle(batch: Opened, client: Client, desk: Desk, grounds: Grounds) -> Settled:
    """Find out about every row in doubt, waiting as long as that takes.

    Whatever a listing shows is recorded at once. An attempt is closed as absent only when two valid sweeps, whose ends
    differ, did not find it: the first no earlier than the settle time after it ended, the second a fifth of that later,
    and no other process has seen it meanwhile.
    """
    result = Settled()
    batch.keep_drift()
    grounds = grounds.tied(batch)
    before = in_doubt(batch, grounds)
    await _look(batch, client, desk, _span(batch, grounds, before))
    grounds = grounds.tied(batch)
    left = in_doubt(batch, grounds)
    there = {doubt.place for doubt in (*before, *left)}
    kinds = await asyncio.to_thread(_kinds, batch, left)
    may = [doubt for doubt in left if _may_settle(batch, client, doubt, kinds[doubt.place.row], result)]
    if may and not desk.stopping.is_set():
        await _settle(batch, client, desk, grounds, may, result)
    open_ = {doubt.place for doubt in in_doubt(batch, grounds)}
    result.open, result.found = len(open_), len(there - open_) - len(result.absent)
    if not desk.stopping.is_set():
        result.absent += await _deny(batch, client, desk)
    return result


async def _deny(batch: Opened, client: Client, desk: Desk) -> list[int]:
    """Ask the API for the tasks that callbacks named of attempts which have failed; the rows of which it knows none."""
    contested = [
        Place(number, attempt)
        for number in batch.state.numbered(Status.DOUBT)
        for attempt in batch.state.row(number).contested
    ]
    accounts = (
        {(known(fact.origin), fact.key) for fact in batch.journal.read_journal(Started)}
        if contested
        else set()
    )
    if accounts != {(client.origin, client.key)} or batch.state.belied():
        return []  # nothing is denied by another account
    denied = [place for place in contested if await _is_denied(batch, client, desk, place)]
    message = "callbacks name tasks of this attempt, and the API knows none of them there"
    await batch.record(
        [Failed(desk.now(), *place, Verdict.DENIED, final=False, message=message) for place in denied]
    )
    return sorted({place.row for place in denied})


async def _look(batch: Opened, client: Client, desk: Desk, span: Span) -> None:
    """Presence is evidence at once and from any listing: most doubt ends here, without waiting."""
    desk.tally.begin("listing the API's tasks")
    with suppress(ApiError):
        await sweep(batch, client, desk, span)


def _span(batch: Opened, grounds: Grounds, there: list[Doubt]) -> Span:
    """What a listing has to cover to say anything about these attempts."""
    return span_of(there, list(batch.journal.read_journal(Started)), grounds.witness)


async def _settle(
    batch: Opened, client: Client, desk: Desk, grounds: Grounds, there: list[Doubt], result: Settled
) -> None:
    if not all(doubt.witnessed(grounds.witness) for doubt in there):
        desk.tally.note("no later task shows that the listing is current: waiting twice as long")
    what = f"{rows(len(there))} in doubt are"
    span = _span(batch, grounds, there)
    if not await wait_until(desk, max(doubt.due(grounds.settle, grounds.witness) for doubt in there), what):
        return
    first = await believed(batch, client, desk, span, grounds, result.reasons)
    left = _still(batch, grounds, there)
    if (
        not first
        or not left
        or not await wait_until(desk, desk.ticks() + SECOND_SWEEP * grounds.settle, what)
    ):
        return
    second = await believed(batch, client, desk, span, grounds, result.reasons, after=first)
    if second and grounds.tied(batch) is not grounds:
        result.because(
            "the last task that was created is another row's, so that no listing was seen to be current"
        )
    elif second:
        forged = first.forged | second.forged
        await _close(batch, client, desk, _still(batch, grounds, left), forged, result)


def in_doubt(batch: Opened, grounds: Grounds) -> list[Doubt]:
    """Every attempt in doubt, as the state has it now."""
    started = batch.journal.read_journal(Started)
    return doubts(batch.state, started, grounds.ended, grounds.since, grounds.sent)


def _still(batch: Opened, grounds: Grounds, there: list[Doubt]) -> list[Doubt]:
    """Those of some attempts that are in doubt still."""
    open_ = {doubt.place for doubt in in_doubt(batch, grounds)}
    return [doubt for doubt in there if doubt.place in open_]


def _kinds(batch: Opened, there: list[Doubt]) -> dict[int, str]:
    """The type of task that each of these rows asks for."""
    wanted = {doubt.place.row for doubt in there}
    return {row.row: row.type for row in batch.journal.read_rows(wanted.__contains__)} if wanted else {}


def _may_settle(batch: Opened, client: Client, doubt: Doubt, kind: str, result: Settled) -> bool:
    """Whether a sweep by this client can say anything about an attempt at all."""
    if batch.state.belied():
        result.because(BELIED)
    elif not batch.card.echo.get(kind):
        result.because(
            "the listing was not seen to show our callback addresses, so it cannot prove that a task is absent"
        )
    elif any(
        (known(started.origin), started.key) != (client.origin, client.key) for started in doubt.started
    ):
        result.because(
            "the API key is another one than when the requests were sent: its listing may be another account's"
        )
    else:
        return True
    return False


async def wait_until(desk: Desk, until: float, what: str) -> bool:
    """Wait until a tick, with a countdown; False when the user asked to stop."""
    tally = desk.tally
    while (left := until - desk.ticks()) > 0:
        tally.begin(f"{what} settled in {left:.0f} s")
        if await desk.sleep(min(1.0, left)):
            return False
    tally.begin("listing the API's tasks")
    return not desk.stopping.is_set()


async def believed(
    batch: Opened,
    client: Client,
    desk: Desk,
    span: Span,
    grounds: Grounds,
    reasons: list[str],
    after: Swept | None = None,
    tries: int = TRIES,
    on_sight: Callable[[Sight], None] = lambda _: None,
    on_flawed: Callable[[Swept], None] = lambda _: None,
) -> Swept | None:
    """Sweep until a sweep is valid and ends later than ``after`` did; None, with the reason kept, when none will be.

    The last try looks for nothing by dates: where the API goes by others than it shows, that alone lists everything.
    """
    must = [grounds.witness.task_id] if grounds.witness else []
    waits, reason, dated = backoff(1.0, max(1.0, SECOND_SWEEP * grounds.settle)), "", True
    for left in reversed(range(tries)):
        try:
            swept = await sweep(batch, client, desk, span, must, dated=dated, on_sight=on_sight)
            reason = "; ".join(swept.flaws) or "the API names no time, or its clock stands still"
            if not swept.flaws and (after is None or swept.end not in (None, after.end)):
                return swept
            on_flawed(swept)
            dated = left > 1 or not swept.lacking
        except ApiError as error:
            reason = str(error)
            dated = left > 1 or not isinstance(error, Refused)
        if desk.stopping.is_set() or (left and await desk.sleep(next(waits))):
            reason = "interrupted"
            break
    if (sentence := f"no listing could be believed: {reason}") not in reasons:
        reasons.append(sentence)
    return None


async def _is_denied(batch: Opened, client: Client, desk: Desk, place: Place) -> bool:
    """Whether the API, asked for each task that callbacks named for an attempt, knows none of them there."""
    named = [task for task in batch.state.row(place.row).tasks.values() if not task.confirmed]
    looks = [await look(batch, client, desk, Open(place.row, place.attempt, task.task_id)) for task in named]
    return all(seeing.found in (Found.GONE, Found.STRANGE) for seeing in looks)


async def _close(
    batch: Opened,
    client: Client,
    desk: Desk,
    absent: list[Doubt],
    forged: frozenset[Place],
    result: Settled,
) -> None:
    """Close attempts as absent, unless another process has seen something of them meanwhile."""
    await asyncio.to_thread(batch.refold)
    if batch.state.belied():
        result.because(BELIED)
        return
    places = [
        doubt.place for doubt in absent if doubt.place.attempt in batch.state.row(doubt.place.row).doubtful
    ]
    called = {place for place in places if batch.state.row(place.row).seen >> place.attempt & 1}
    denied = {place for place in called if await _is_denied(batch, client, desk, place)}
    places = [place for place in places if place not in called - denied]
    if any(place.attempt in batch.state.row(place.row).doubtful for place in called - denied):
        result.because(
            "callbacks name tasks of rows in doubt, and the API does not say whether there are such"
        )
    if forged.intersection(places):
        result.because("a task stands at an address of a row in doubt that is not signed by our keys")
    places = [place for place in places if place not in forged]
    message = "two listings, far enough apart, show no task of this attempt"
    await batch.record(
        [
            Failed(
                desk.now(),
                *place,
                Verdict.DENIED if place in denied else Verdict.ABSENT,
                final=False,
                message=message,
            )
            for place in places
        ]
    )
    result.absent = sorted({place.row for place in places})
