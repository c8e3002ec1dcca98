"""Settling doubt: presence counts wherever it shows, absence only after two valid sweeps far enough apart."""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from mwbatch.client import Client
from mwbatch.commands.context.session import Session
from mwbatch.commands.settling.believing import Listing, believed
from mwbatch.commands.settling.fetching import Found, Open, look
from mwbatch.commands.settling.sweeping import sweep
from mwbatch.core.facts.kinds import Failed, Verdict
from mwbatch.core.state.row_status import Status
from mwbatch.core.sweeps.doubt import SECOND_SWEEP, Doubt, Grounds, doubts, span_of
from mwbatch.core.sweeps.span import Span
from mwbatch.core.sweeps.sweep import AttemptKey
from mwbatch.core.urls.hosts import known
from mwbatch.core.words.plural import rows
from mwbatch.errors import ApiError
from mwbatch.journal.files.closing import in_thread
from mwbatch.journal.interface.open_batch import OpenBatch

REFUTED: Final = (
    "a task showed up that sweeps had not found: --settle is too short for this API, nothing more is settled"
)


@dataclass(slots=True)
class Settled:
    """What became of rows in doubt: ``found`` have a task, ``absent`` have none, ``open`` stay so."""

    found: int = 0
    absent: list[int] = field(default_factory=list)
    open: int = 0
    reasons: list[str] = field(default_factory=list)

    def because(self, reason: str) -> None:
        """Keep a reason why something stays open, once."""
        if reason not in self.reasons:
            self.reasons.append(reason)


async def settle(session: Session, grounds: Grounds) -> Settled:
    """Find out about every row in doubt, waiting as long as that takes.

    Whatever a listing shows is recorded at once. An attempt is closed as absent only when two valid sweeps,
    whose ends differ, did not find it: the first no earlier than the settle time after it ended, the second a
    fifth of that later, and no other process has seen it meanwhile.
    """
    result, batch = Settled(), session.batch
    await batch.kept(drift=batch.drift.kept)
    grounds = grounds.tied(batch.state)
    before = await in_doubt(batch, grounds)
    await _look(session, await _span(batch, grounds, before))
    grounds = grounds.tied(batch.state)
    left = await in_doubt(batch, grounds)
    session.tally.doubt = len(left)
    there = {doubt.place for doubt in (*before, *left)}
    kinds = await in_thread(_kinds, batch, left)
    may = [
        doubt for doubt in left if _may_settle(batch, session.client, doubt, kinds[doubt.place.row], result)
    ]
    if may and not session.is_stopping:
        await _settle(session, grounds, may, result)
    open_ = {doubt.place for doubt in await in_doubt(batch, grounds)}
    result.open, result.found = len(open_), len(there - open_) - len(result.absent)
    session.tally.doubt = result.open
    if not session.is_stopping:
        result.absent += await _deny(session)
    return result


async def _deny(session: Session) -> list[int]:
    """Ask the API for the tasks that callbacks named of failed attempts; the rows of which it knows none."""
    batch, client = session.batch, session.client
    contested = [
        AttemptKey(number, attempt)
        for number in batch.state.numbered(Status.DOUBT)
        for attempt in batch.state.row(number).contested
    ]
    started = await batch.starts() if contested else []
    accounts = {(known(fact.origin), fact.key) for fact in started}
    if accounts != {(client.origin, client.key)} or batch.state.refuted():
        return []  # nothing is denied by another account
    denied = [place for place in contested if await _is_denied(session, place)]
    message = "callbacks name tasks of this attempt, and the API knows none of them there"
    await session.record(
        [Failed(session.now(), *place, Verdict.DENIED, final=False, message=message) for place in denied]
    )
    return sorted({place.row for place in denied})


async def _look(session: Session, span: Span) -> None:
    """Presence is evidence at once and from any listing: most doubt ends here, without waiting."""
    session.tally.begin("listing the API's tasks")
    with suppress(ApiError):
        await sweep(session, span)


async def _span(batch: OpenBatch, grounds: Grounds, there: list[Doubt]) -> Span:
    """What a listing has to cover to say anything about these attempts."""
    return span_of(there, await batch.starts(), grounds.witness)


async def _settle(session: Session, grounds: Grounds, there: list[Doubt], result: Settled) -> None:
    batch = session.batch
    if not all(doubt.witnessed(grounds.witness) for doubt in there):
        session.note("no later task shows that the listing is current: waiting twice as long")
    what = f"the next look at the {rows(len(there))} in doubt comes"
    listing = Listing(await _span(batch, grounds, there), grounds, result.reasons)
    if not await session.wait_until(max(doubt.due(grounds.settle, grounds.witness) for doubt in there), what):
        return
    first = await believed(session, listing)
    left = await _still(batch, grounds, there)
    if (
        not first
        or not left
        or not await session.wait_until(session.ticks() + SECOND_SWEEP * grounds.settle, what)
    ):
        return
    second = await believed(session, listing, after=first)
    if second and grounds.tied(batch.state) is not grounds:
        result.because(
            "the last task that was created is another row's, so that no listing was seen to be current"
        )
    elif second:
        forged = first.forged | second.forged
        await _close(session, await _still(batch, grounds, left), forged, result)


async def in_doubt(batch: OpenBatch, grounds: Grounds) -> list[Doubt]:
    """Every attempt in doubt, as the state has it now."""
    return doubts(batch.state, await batch.starts(), grounds)


async def _still(batch: OpenBatch, grounds: Grounds, there: list[Doubt]) -> list[Doubt]:
    """Those of some attempts that are in doubt still."""
    open_ = {doubt.place for doubt in await in_doubt(batch, grounds)}
    return [doubt for doubt in there if doubt.place in open_]


def _kinds(batch: OpenBatch, there: list[Doubt]) -> dict[int, str]:
    """The type of task that each of these rows asks for."""
    wanted = {doubt.place.row for doubt in there}
    return {row.row: row.type for row in batch.journal.rows(wanted.__contains__)} if wanted else {}


def _may_settle(batch: OpenBatch, client: Client, doubt: Doubt, kind: str, result: Settled) -> bool:
    """Whether a sweep by this client can say anything about an attempt at all."""
    if batch.state.refuted():
        result.because(REFUTED)
    elif not batch.info.echo.get(kind):
        result.because(
            "the listing was not seen to show our callback addresses, so it cannot prove that a task is "
            "absent"
        )
    elif any(
        (known(started.origin), started.key) != (client.origin, client.key) for started in doubt.started
    ):
        result.because(
            "the API key is another one than when the requests were sent: its listing may be another "
            "account's"
        )
    else:
        return True
    return False


async def _is_denied(session: Session, place: AttemptKey) -> bool:
    """Whether the API, asked for each task that callbacks named for an attempt, knows none of them there."""
    named = [task for task in session.state.row(place.row).tasks.values() if not task.confirmed]
    looks = [await look(session, Open(place.row, place.attempt, task.task_id)) for task in named]
    return all(seeing.found in (Found.GONE, Found.STRANGE) for seeing in looks)


async def _close(
    session: Session,
    absent: list[Doubt],
    forged: frozenset[AttemptKey],
    result: Settled,
) -> None:
    """Close attempts as absent, unless another process has seen something of them meanwhile."""
    batch = session.batch
    await batch.refresh()
    if batch.state.refuted():
        result.because(REFUTED)
        return
    places = [
        doubt.place for doubt in absent if doubt.place.attempt in batch.state.row(doubt.place.row).doubtful
    ]
    called = {place for place in places if batch.state.row(place.row).seen >> place.attempt & 1}
    denied = {place for place in called if await _is_denied(session, place)}
    places = [place for place in places if place not in called - denied]
    if any(place.attempt in batch.state.row(place.row).doubtful for place in called - denied):
        result.because(
            "callbacks name tasks of rows in doubt, and the API does not say whether there are such"
        )
    if forged.intersection(places):
        result.because("a task stands at an address of a row in doubt that is not signed by our keys")
    places = [place for place in places if place not in forged]
    message = "two listings, far enough apart, show no task of this attempt"
    failed = [
        Failed(session.now(), *place, _verdict(place in denied), final=False, message=message)
        for place in places
    ]
    # MUST look once more in the same step: to ask the API took time, in which others may have learned of
    # tasks.
    ended = await batch.close_absent(failed)
    result.absent = sorted({one.row for one, is_ended in zip(failed, ended, strict=True) if is_ended})


def _verdict(is_denied: bool) -> Verdict:
    return Verdict.DENIED if is_denied else Verdict.ABSENT
