"""Creating the tasks that a batch is missing, in the order that makes it safe.

A listing first; one row of each type, to prove that the listing shows our addresses; then all rows that were
never sent; and last, when everything else is done, the rows in doubt: settled, and sent again only if they
have no task.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from math import inf
from typing import Final

from mwbatch.commands.context.callback_base import (
    NO_BASE,
    NO_CALLBACKS,
    callback_base,
    checked_base,
    warn_unheard,
)
from mwbatch.commands.context.session import Session
from mwbatch.commands.sending.sending import Sender, Sending
from mwbatch.commands.settling.beginning import catch_up, last_base, restore_trust
from mwbatch.commands.settling.echo import prove_echo
from mwbatch.commands.settling.settling import REFUTED, settle
from mwbatch.commands.settling.surplus import cancel_surplus
from mwbatch.core.facts.kinds import Planned
from mwbatch.core.pace.course import INTERRUPTED, Ending
from mwbatch.core.pace.pace import Pace
from mwbatch.core.report.command_outcomes import Created
from mwbatch.core.spending.budget import Limits
from mwbatch.core.spending.overlaps import Repeats
from mwbatch.core.state.row_status import Row, Status
from mwbatch.core.sweeps.doubt import Grounds
from mwbatch.core.urls.hosts import settle_at
from mwbatch.core.words import values
from mwbatch.core.words.hint import hint
from mwbatch.core.words.plural import rows
from mwbatch.errors import BadValue, Exit, UsageError
from mwbatch.journal.files.closing import in_thread
from mwbatch.journal.interface.batch_info import BatchInfo
from mwbatch.journal.interface.naming import check_name
from mwbatch.journal.interface.open_batch import OpenBatch
from mwbatch.journal.keys.home_keys import signing_key

ASK_ABOVE: Final = 100
"""More tasks than this are created only after the user was asked, where there is somebody to ask."""


@dataclass(frozen=True, slots=True)
class SendOptions:
    """How the user wants it sent.

    ``callback_url`` None means the base that the batch used last; ``rate`` is in requests started a second,
    ``settle`` in seconds; ``confirm`` is asked before many tasks are created; ``repeats`` is what to do with
    rows that were asked for before; ``trust_folder``: the user vouches for a folder of which the API cannot
    tell what was lost. Raises `UsageError` for what cannot be.
    """

    callback_url: str | None = None
    concurrency: int = values.CONCURRENCY
    rate: float | None = None
    keep_going: bool = False
    settle: float = values.SETTLE
    limits: Limits = field(default_factory=Limits)
    confirm: Callable[[str], bool] = lambda _: True
    repeats: Repeats = field(default_factory=Repeats)
    trust_folder: bool = False

    def __post_init__(self) -> None:
        values.whole("concurrency", self.concurrency, 1, values.MOST_CONCURRENT)
        values.amount("rate", self.rate, values.LEAST_RATE, values.GREATEST_RATE, none=True)
        values.amount("settle", self.settle, 0, values.LONGEST)
        if not isinstance(self.limits, Limits):
            raise BadValue("limits", self.limits, "Limits(max_tasks=…, price=…, max_cost=…) would do")


def check(options: SendOptions, info: BatchInfo, origin: str) -> None:
    """Raise `UsageError` for what cannot be wished of the API there, before anything is written."""
    check_name(info.name)
    info.pinned(origin)
    settle_at(options.settle, origin)
    if options.callback_url not in (None, NO_CALLBACKS):
        checked_base(options.callback_url)
    info.limits.updated(options.limits)


async def check_base(options: SendOptions, batch: OpenBatch) -> None:
    """Raise `UsageError` where neither the user nor the batch names a callback base."""
    if not options.callback_url and await last_base(batch) is None:
        raise UsageError(NO_BASE)


async def create(session: Session, options: SendOptions) -> Created:
    """Create the task of every row that may be sent, within the batch's limits, and settle what is in doubt.

    MUST be called under the batch's lock.

    Raises:
        UsageError: there is no callback base, or the user said no.
        ApiError: the API refuses us or cannot be reached; nothing was sent.
        StoreError: outcomes could not be written; they are found again by a listing.
    """
    creation = await _begin(session, options)
    with session.context.in_flight():
        if await creation.is_trusted():
            await creation.prove_echoes()
            await creation.send_new()
            await creation.settle_and_send_again()
            creation.tell_unsent()
        await creation.cancel_surplus()
    session.tally.begin("")
    report = replace(await session.batch.reported(), is_heard=creation.is_heard)
    return Created(report, creation.ending, tuple(creation.reasons))


async def _begin(session: Session, options: SendOptions) -> "Creation":
    """Everything that comes before the first request."""
    batch, since = session.batch, session.ticks()
    if batch.term and batch.term.weakness:
        session.note(batch.term.weakness)
    check(options, batch.info, session.client.origin)
    before, limits = batch.info.limits, batch.info.limits.updated(options.limits)
    base, key = (
        callback_base(options.callback_url, await last_base(batch), session.context),
        await in_thread(signing_key, batch.store),
    )
    await batch.kept(limits=limits)
    await catch_up(session)
    how = Sending(base, key, session.client.origin, session.client.key, options.keep_going)
    sender = Sender(session, Pace(options.concurrency, options.rate), how)
    creation = Creation(session, options, sender, since)
    if count := creation.allowed():
        if count > ASK_ABOVE and not options.confirm(_question(batch, count, creation.wanted())):
            # nobody agreed to a higher one
            await batch.kept(limits=min(before, limits, key=lambda one: one.tasks))
            raise UsageError(_declined(batch))
        creation.is_heard = await warn_unheard(base, key, session.context)
    return creation


def _question(batch: OpenBatch, count: int, wanted: int) -> str:
    """What it costs, beside what was spent and may be; a part of the rows where limits hold others back."""
    spent = batch.info.limits.spent(batch.state)
    price = batch.info.limits.price
    cost, whole = f", for about {price * count:,.2f}" if price else "", f" of {wanted:,}" * (count < wanted)
    asked = f"create {count:,}{whole} tasks at {batch.info.origin}{cost}?"
    return "\n".join(filter(None, (spent.text(), asked)))


def _declined(batch: OpenBatch) -> str:
    """What is left where the user said no: planned rows, for which no other batch may ask meanwhile."""
    name, planned = batch.info.name, rows(batch.state.by_status()[Status.PLANNED])
    given_up = "" if batch.state.spent() else f", {hint('cancel', name)} gives them up"
    again = f"{hint('resume', name)} asks again{given_up}"
    return f"nothing was sent, as you said; {planned} of batch {name} stay planned: {again}"


class Creation:
    """One run of creating, after its beginning: each of its phases is a method.

    ``since`` is the tick at which the lock was taken.
    """

    def __init__(self, session: Session, options: SendOptions, sender: Sender, since: float) -> None:
        self.session, self.batch, self.options = session, session.batch, options
        self.sender, self.since = sender, since
        self.is_heard = False
        self.reasons: list[str] = []
        self.done = self.most = 0
        """What people see of the rows: so many of so many."""

    @property
    def ending(self) -> Ending:
        """Why the run ended before its rows did."""
        return self.sender.course.ending

    @property
    def _stopped(self) -> bool:
        """Whether nothing more is sent in this run."""
        return self.sender.course.stopped

    async def is_trusted(self) -> bool:
        """Whether the folder can be trusted, if need be after a sweep of everything; first of all."""
        distrust = await restore_trust(self.session, self.grounds(), vouched=self.options.trust_folder)
        if distrust:
            self.ending.because(Exit.UNFINISHED, f"nothing was sent: {distrust}")
        self.most = self.allowed()
        return not distrust

    async def prove_echoes(self) -> None:
        """The first rows are one of each type: the listing must show its address before runs grow."""
        for kind in ("tagging", "annotating"):
            await self._prove_echo(kind)
        self.sender.careful = not all(self.batch.info.echo.values())

    async def _prove_echo(self, kind: str) -> None:
        """Send rows of a type one by one, until one was created that a listing can be asked for."""
        came = self.sender.recorder
        while not self._stopped and not self.batch.info.echo.get(kind):
            before, left = came.witness, self.wanted()
            await self._send(self._rows(again=False, kind=kind), most=1)
            if came.witness is not before and came.witness is not None:
                await prove_echo(self.session, kind, came.witness.row)
                return
            if self.wanted() == left:
                return

    async def send_new(self) -> None:
        """Send every row that was never sent."""
        await self._send(self._rows(again=False))

    async def settle_and_send_again(self) -> None:
        """Find out about the rows in doubt and send again what has no task, until nothing more is found."""
        while not self._stopped:
            await self._send_again()
            if not self.batch.state.by_status()[Status.DOUBT] or self._stopped:
                return
            settled = await settle(self.session, self.grounds())
            self.reasons[:] = settled.reasons
            if settled.found or settled.absent:
                self.session.note(
                    f"{rows(settled.found)} in doubt have a task, {rows(len(settled.absent))} have none"
                )
            if not settled.absent and not (settled.found and self.wanted()):
                return

    async def _send_again(self) -> None:
        """Rows without a task, after doubt: the first goes alone, the others wait until it was created."""
        came = self.sender.recorder
        while not self._stopped and (left := self.wanted()):
            before = came.witness
            await self._send(self._rows(again=True), most=1)
            if came.witness is not before:
                await self._send(self._rows(again=True))
            if self.wanted() == left or self.batch.state.by_status()[Status.DOUBT]:
                return

    async def cancel_surplus(self) -> None:
        """Cancel what is double, and say so where that proves that no absence can be believed."""
        await cancel_surplus(self.session)
        if self.refuted:
            self.ending.because(Exit.UNFINISHED, REFUTED)

    async def _send(self, there: Iterator[Planned], most: int | None = None) -> None:
        granted = self.batch.granted(inf if most is None else most)
        self.session.tally.begin("creating tasks", self.most, done=self.done)
        await self.sender.send(there, None if granted == inf else int(granted))
        self.done = self.session.tally.done

    def _rows(self, *, again: bool, kind: str | None = None) -> Iterator[Planned]:
        """The planned rows that were closed as absent, or all the others; those of one type, or all.

        Once sweeps were refuted no absence is believed: of those rows only what the user opened is sent.
        """
        state, doubted = self.batch.state, again and self.refuted

        def fits(row: Row) -> bool:
            return bool(row.absent) is again and (not doubted or row.opened > row.last)

        return self.batch.journal.rows(state.wanted(fits), kind) if self.wanted() else iter(())

    @property
    def refuted(self) -> bool:
        """Whether a task showed up that sweeps had not found."""
        return self.batch.state.refuted()

    def grounds(self) -> Grounds:
        """What this run knows about doubt."""
        came = self.sender.recorder
        return Grounds(self.options.settle, self.since, came.doubtful, came.witness, came.ended)

    def wanted(self) -> int:
        """How many rows may be sent, limits aside."""
        return self.batch.state.sendable()

    def allowed(self) -> int:
        """How many of them the limits of the batch allow."""
        return int(self.batch.granted(self.wanted()))

    def tell_unsent(self) -> None:
        """Say why rows are left of which this run will tell nothing more."""
        wanted = self.wanted()
        if wanted and not self.allowed():
            spent = self.batch.info.limits.spent(self.batch.state).text()
            self.ending.because(Exit.UNFINISHED, f"the limit is reached: {spent}; {rows(wanted)} not sent")
        exhausted = self.batch.state.exhausted()
        if self.session.is_stopping and (wanted or self.batch.state.by_status()[Status.DOUBT]):
            self.ending.because(Exit.UNFINISHED, INTERRUPTED)
        if exhausted:
            name = self.batch.info.name
            self.reasons.append(
                f"{rows(exhausted)} were sent four times in vain; {hint('retry', name)} tries again"
            )
