"""Reconciling: what is on disk, what the API has, and what the manifest says, brought to one account."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

from mwbatch.client import Client
from mwbatch.commands.context.context import Context
from mwbatch.commands.context.session import Session
from mwbatch.commands.manifest.comparing import compare
from mwbatch.commands.settling.beginning import tell_strange_keys
from mwbatch.commands.settling.believing import Listing, believed
from mwbatch.commands.settling.fetching import FORGOTTEN, Gone, fetch, unanswered
from mwbatch.commands.settling.inbox import take_in
from mwbatch.commands.settling.settling import REFUTED, settle
from mwbatch.commands.settling.surplus import cancel_surplus
from mwbatch.commands.settling.sweeping import Swept
from mwbatch.core.report.agreement import Agreement
from mwbatch.core.report.command_outcomes import Proof, Reconciled
from mwbatch.core.state.row_status import Status
from mwbatch.core.sweeps.doubt import Grounds
from mwbatch.core.sweeps.span import Span
from mwbatch.core.sweeps.sweep import Sight
from mwbatch.core.urls.hosts import settle_at
from mwbatch.core.words.values import LEAST_LOOK, LONGEST, SETTLE, amount
from mwbatch.errors import BatchBusy
from mwbatch.journal.files.closing import in_thread
from mwbatch.journal.interface.distrust import least_listed, too_few
from mwbatch.journal.interface.open_batch import OpenBatch, looking
from mwbatch.journal.interface.ref import Ref
from mwbatch.journal.interface.store import Store

PAGE = 100
"""The most tasks on one page of the listing: beyond one open task a page, listing is cheaper than asking for
each."""

TRIES = 4
"""How often a listing that proves nothing is repeated."""

FORGED = "attempts have a task at an address that our keys did not sign: look at it, or restore the key file"
"""Why nothing is proved where the listing shows tasks of which nobody can say whose they are."""


@dataclass(frozen=True, slots=True)
class ReconcileOptions:
    """How to reconcile.

    ``settle`` is in seconds, as are ``every`` (between two looks at what is pending; None: one look) and
    ``most`` (waiting in all; None: as long as it takes). ``unproved``: a listing that cannot be believed is
    no reason not to be done. Raises `UsageError` for what cannot be.
    """

    settle: float = SETTLE
    every: float | None = None
    most: float | None = None
    unproved: bool = False

    def __post_init__(self) -> None:
        amount("settle", self.settle, 0, LONGEST)
        amount("every", self.every, LEAST_LOOK, LONGEST, none=True)
        amount("most", self.most, 0, LONGEST, none=True, option="--for")


async def reconcile(
    store: Store,
    client: Client | None,
    name: str,
    context: Context | None = None,
    options: ReconcileOptions | None = None,
) -> Reconciled:
    """Bring a batch to one account; without a ``client`` no request is made.

    The inbox is taken in, the whole span listed, missing answers fetched; and, where nobody else holds the
    lock, doubt settled and surplus canceled. Raises `Halted` and `OtherApi` where the API is not ours to ask.
    """
    context, options = context or Context(), options or ReconcileOptions()
    ref = await in_thread(store.find, name)
    if client is not None:
        ref.info.pinned(client.origin)
        settle_at(options.settle, client.origin)
    async with _opened(store, ref, context, acting=client is not None) as batch:
        result = Reconciled(await batch.reported(), taken_in=await take_in(batch), unproved=options.unproved)
        if client is not None:
            session = Session(batch, client, context)
            await tell_strange_keys(session)
            with context.in_flight():
                await Asking(session, options, result).settle()
        if os.path.isfile(name):  # noqa: ASYNC240, PTH113 (one look at the disk)
            result.comparison = await compare(batch, name)
        await batch.refresh()
        context.tally.begin("")
        result.report = replace(
            await batch.reported(), differing=len(result.differing) + len(result.unanswered)
        )
        return result


@asynccontextmanager
async def _opened(store: Store, ref: Ref, context: Context, *, acting: bool) -> AsyncIterator[OpenBatch]:
    """The batch under its lock where that is free and wanted, else without."""
    async with AsyncExitStack() as stack:
        try:
            opening = store.act(ref, "reconcile") if acting else looking(store, ref, "reconcile")
            batch = await stack.enter_async_context(opening)
        except BatchBusy as error:
            context.tally.note(
                f"{error}; finding out about rows in doubt and cancelling extra tasks is left to it"
            )
            batch = await stack.enter_async_context(looking(store, ref, "reconcile"))
        yield batch


class Asking:
    """The part of a reconciliation that asks the API."""

    def __init__(self, session: Session, options: ReconcileOptions, result: Reconciled) -> None:
        self.session, self.batch, self.options, self.result = session, session.batch, options, result
        self.grounds = Grounds(options.settle, session.ticks())
        self._least = 0
        self._unbelieved: list[str] = []
        self._last: Swept | None = None
        self._agreement = Agreement()
        self._gone = Gone(session.ticks)

    async def settle(self) -> None:
        """List, fetch, wait, settle, cancel; list once more where anything happened after that."""
        self._least = await in_thread(least_listed, self.batch)
        swept = await self._list()
        known = self._confirmed()
        self.result.fetched += await self._fetch(swept)
        # What was listed is not kept while something else is: it takes half as much memory as the batch.
        swept = swept and replace(swept, shows=lambda _: False)
        acted = await self._wait(swept) | await self._settle()
        if acted or self._confirmed() > known:  # a proof MUST cover what was asked for meanwhile, too
            swept = await self._list()
        self.result.reasons[:0] = self._unbelieved
        self.result.proof = self._proof(swept)
        await self._compare()

    async def _list(self) -> Swept | None:
        """The batch's whole span; its answers are recorded on the way."""
        before = _answers(self.batch)
        self._unbelieved.clear()
        self._last = None
        self.session.tally.begin("listing the API's tasks")
        self._agreement = Agreement()
        span, reasons = Span((self.batch.info.began,)), self._unbelieved
        listing = Listing(span, self.grounds, reasons, TRIES, on_sight=self._see, on_flawed=self._keep)
        swept = await believed(self.session, listing)
        self._last = swept or self._last
        self.result.fetched += _answers(self.batch) - before
        return swept

    def _see(self, sight: Sight) -> None:
        """Compare what is listed with what is stored, before the one joins the other."""
        row, task = sight.place.row, sight.task
        self._agreement.compare(row, self.batch.state.task(row, task.task_id), task)

    def _keep(self, swept: Swept) -> None:
        self._last = swept

    async def _compare(self) -> None:
        """Find the answers that are stored otherwise than they are listed, or of which the API has none."""
        self.result.unanswered = await unanswered(self.session, self._agreement)
        if self._agreement.is_plain:
            return
        self.session.tally.begin("comparing answers")
        answers = self.batch.journal.answers()
        differing, abridged = await in_thread(self._agreement.differing, answers)
        self.result.differing = tuple(differing)
        if abridged:
            self.session.note(
                "the listing leaves out parts of answers: what is stored is not compared with it"
            )

    async def _fetch(self, swept: Swept | None) -> int:
        """Ask for tasks one by one: those that a believed listing shows as done unanswered, else all open."""
        return await fetch(
            self.session,
            # A listing that is believed has shown every confirmed task, so what is pending was shown so.
            but=lambda task: swept is not None and task.shown in ("", "pending"),
            gone=self._gone,
        )

    async def _wait(self, swept: Swept | None) -> bool:
        """Look again until nothing is pending or can change, or the time is up; says whether it waited."""
        every, most = self.options.every, self.options.most
        began, waited = self.session.ticks(), False
        while every is not None and self.batch.state.by_status()[Status.PENDING]:
            if most is not None and self.session.ticks() - began + every > most:
                break
            if await self._is_forgotten():
                self.result.reasons.append(FORGOTTEN)
                break
            waited = True
            self.session.tally.begin("waiting for answers")
            if await self.session.sleep(every):
                break
            await self.batch.refresh()
            there = self.batch.state.by_status()[Status.PENDING]
            if swept and there * PAGE > swept.tasks:
                came = await self._fetch(await self._list())
            else:
                came = await self._fetch(None)
            self.result.fetched += came  # not in one: listing adds to it, too
        return waited

    async def _is_forgotten(self) -> bool:
        """Whether nothing can change any more: no GET and no listing knows an open task, for so long."""
        if not self._gone.is_all(self.batch.state):
            return False
        await self._list()
        last = self._last
        return last is not None and not any(last.shows(task.task_id) for _, task in self.batch.state.open())

    async def _settle(self) -> bool:
        """What only the holder of the lock may do; says whether it did anything."""
        if not self.batch.acting or self.session.is_stopping:
            return False
        acted = False
        if self.batch.state.by_status()[Status.DOUBT]:
            settled = await settle(self.session, self.grounds)
            self.result.reasons += settled.reasons
            acted = bool(settled.found or settled.absent)
        if any(True for _ in self.batch.state.surplus()):
            canceled = await cancel_surplus(self.session)
            self.result.canceled = (*canceled.done, *canceled.failed)
            acted = True
        if self.batch.state.refuted():
            self.result.distrusted = True
            self.result.reasons.append(REFUTED)
        return acted

    def _proof(self, swept: Swept | None) -> Proof:
        last = self._last
        covers, known = (last.covers, last.known) if last else (0, self._confirmed())
        if swept is None:
            return Proof(reasons=tuple(self.result.reasons), covers=covers, known=known)
        if swept.forged:
            return Proof(reasons=(f"{len(swept.forged):,} {FORGED}",), covers=covers, known=known)
        if few := too_few(swept.ours, self._least):
            return Proof(reasons=(f"no listing could be believed: {few}",), covers=covers, known=known)
        twice = sum(1 for _ in self.batch.state.surplus())
        return Proof(twice, swept.tasks, swept.end, covers=covers, known=known)

    def _confirmed(self) -> int:
        """How many tasks of the batch the API itself has shown."""
        return sum(task.confirmed for _, task in self.batch.state.tasks())


def _answers(batch: OpenBatch) -> int:
    """How many rows have an answer."""
    return batch.state.by_status()[Status.COMPLETED]
