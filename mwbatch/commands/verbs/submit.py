"""Submitting: plan what is new, create what is missing. Running it again sends only what was never sent."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import NamedTuple

from mwbatch.client import Client
from mwbatch.commands.asking.asked_before import Compared, account_of, leave_out, told_left_out, unasked
from mwbatch.commands.asking.turn import Turn, turn_in
from mwbatch.commands.context.callback_base import NO_BASE
from mwbatch.commands.context.clocks import of_the_api
from mwbatch.commands.context.context import Desk
from mwbatch.commands.context.session import Session
from mwbatch.commands.manifest.candidates import Candidates
from mwbatch.commands.manifest.invalid import PutAside, put_aside
from mwbatch.commands.manifest.planning import Source, addressed, choose, examine, volatile
from mwbatch.commands.manifest.survey import Survey
from mwbatch.commands.manifest.writing import write_plan
from mwbatch.commands.sending.creating import Wishes, check, check_base, create
from mwbatch.core.manifest.row_identity import Kind
from mwbatch.core.report.outcomes import Created
from mwbatch.core.words.hint import hint
from mwbatch.core.words.plural import rows
from mwbatch.errors import NameTaken, UsageError
from mwbatch.journal.files.closing import in_thread
from mwbatch.journal.keys.home_keys import kept_keys
from mwbatch.journal.seam.distrust import refuse_lost_rows
from mwbatch.journal.seam.open_batch import Opened
from mwbatch.journal.seam.ref import Ref
from mwbatch.journal.seam.store import Store


async def submit(
    store: Store, client: Client, source: Source, wishes: Wishes, desk: Desk | None = None
) -> Created:
    """Plan the rows of a manifest that its batch does not have yet, and create every task that is missing.

    Raises:
        ManifestError, UsageError, OtherApi: nothing was sent.
        BatchBusy: another process acts on the batch.
        ApiError: the API refuses us or cannot be reached; nothing was sent.
        StoreError: the disk failed; what is in doubt is found out later.
    """
    desk = desk or Desk()
    async with planned(store, client, source, wishes, desk, "submit") as (batch, asking, beside):
        return replace(await create(Session(batch, client, desk), asking), **beside._asdict())


class Beside(NamedTuple):
    """Rows of a manifest that are not sent: ``skipped`` have mistakes, ``left_out`` were asked for before."""

    skipped: int
    left_out: int


@asynccontextmanager
async def planned(
    store: Store, client: Client, source: Source, wishes: Wishes, desk: Desk, verb: str
) -> AsyncIterator[tuple[Opened, Wishes, Beside]]:
    """Open the batch of a manifest under its lock, made if it is new, with every good row planned.

    Gives the batch, the wishes with a question that says what the rows are, and how many are not sent.

    Raises:
        AskedBefore: other batches asked for the same, as `unasked` says; a new batch is not even made.
    """
    source = replace(await addressed(store, source), only_new=wishes.repeats.only_new)
    turn = Turn(store, desk)
    try:
        ref, examined = await _batch_of(store, client, source, wishes, desk, turn)
        async with store.act(ref, verb) as batch:
            if (
                examined is None or batch.state.end
            ):  # another one may have had the lock of the new batch first
                examined = await _compared(batch, client, source, wishes, desk, turn)
            else:
                batch.is_new = True
            await check_base(wishes, batch)
            beside = await _plan(batch, source, *examined, desk)
            examined.found.let_go()
            del examined  # MUST NOT be held while rows are sent: it knows what each of them asks for
            turn.release()
            yield batch, wishes, beside
    finally:
        turn.release()


async def _compared(
    batch: Opened, client: Client, source: Source, wishes: Wishes, desk: Desk, turn: Turn
) -> "Examined":
    found = await examine(source, batch, desk, of_the_api(client, desk))
    card = replace(batch.card, volatile=volatile(source, batch.card))
    candidates = Candidates(card, batch, source=source, found=found)
    account = await account_of(client, candidates, wishes.repeats, desk)
    await turn.take()
    compared = await unasked(batch.store, client.origin, candidates, wishes.repeats, desk, account)
    return Examined(found, compared)


async def _plan(batch: Opened, source: Source, found: Survey, compared: Compared, desk: Desk) -> Beside:
    """Plan what is to be planned, and put the rest aside."""
    if found.new:
        await in_thread(refuse_lost_rows, batch)
    if not batch.state.planned:
        await batch.kept(id_column=found.id_column)
    await batch.kept(volatile=volatile(source, batch.card))
    end = batch.state.end
    left_out = await leave_out(batch, compared, desk)
    found.leave_out(number for number in compared.numbers() if number >= end)
    _tell(found, batch, desk)
    skipped = PutAside()
    if found.found:
        skipped = await put_aside(source.path, found, source.aside, batch.card.batch_id)
    for when, there in (("put aside", skipped.now), ("put aside before", skipped.before)):
        for path, count in there.items():
            desk.tally.note(
                f"{when} in {path}, because of their mistakes: {rows(count)}. Mend them there, then: "
                f"{hint('submit', path)}"
            )
    await write_plan(batch, source, found, desk)
    await compared.keep_consent(batch, desk.now())
    return Beside(skipped.rows, told_left_out(left_out + found.left_out, desk))


class Examined(NamedTuple):
    """What a manifest holds, and what of its rows was asked for before."""

    found: Survey
    compared: Compared


async def _batch_of(
    store: Store,
    client: Client,
    source: Source,
    wishes: Wishes,
    desk: Desk,
    turn: Turn,
    *,
    again: bool = False,
) -> tuple[Ref, Examined | None]:
    """The batch of a manifest; where it has to be made, with what the manifest holds."""
    chosen = await in_thread(choose, store, source, client.origin)
    check(wishes, chosen.card, client.origin)
    await in_thread(kept_keys, store)
    if chosen.ref is not None:
        return chosen.ref, None
    if not wishes.callback_url:
        raise UsageError(NO_BASE)
    card = replace(chosen.card, volatile=source.volatile)
    found = await examine(source, None, desk, of_the_api(client, desk))
    candidates = Candidates(card, source=source, found=found)
    account = await account_of(client, candidates, wishes.repeats, desk)
    await turn.take()
    # made by whoever had the turn before
    if (await in_thread(choose, store, source, client.origin)).ref is not None:
        turn.release()
        return await _batch_of(store, client, source, wishes, desk, turn)
    compared = await unasked(store, client.origin, candidates, wishes.repeats, desk, account)
    try:
        ref = await in_thread(store.create, replace(card, id_column=found.id_column, began=client.clock))
    except NameTaken:
        if again:
            raise
        turn.release()
        # MUST NOT lead to another name: the same manifest may be submitted at this moment elsewhere.
        return await _batch_of(store, client, source, wishes, desk, turn, again=True)
    desk.tally.note(f"batch {card.name} is new, in {ref.where}")
    return ref, Examined(found, compared)


async def resume(
    store: Store, client: Client, batch_name: str, wishes: Wishes, desk: Desk | None = None
) -> Created:
    """Create every task that is missing, without reading the manifest; raises as `submit` does."""
    desk = desk or Desk()
    ref = await in_thread(store.find, batch_name)
    check(wishes, ref.card, client.origin)
    async with store.act(ref, "resume") as batch:
        left_out = await _without_asked(batch, client, wishes, desk)
        return replace(await create(Session(batch, client, desk), wishes), left_out=left_out)


async def _without_asked(batch: Opened, client: Client, wishes: Wishes, desk: Desk) -> int:
    """Compare the rows that would be sent; returns how many were asked for before and are withdrawn."""
    candidates = Candidates(batch.card, batch)
    account = await account_of(client, candidates, wishes.repeats, desk)
    async with turn_in(batch.store, desk):
        compared = await unasked(batch.store, client.origin, candidates, wishes.repeats, desk, account)
        left_out = await leave_out(batch, compared, desk)
        await compared.keep_consent(batch, desk.now())
    return told_left_out(left_out, desk)


def _tell(found: Survey, batch: Opened, desk: Desk) -> None:
    if repeated := found.by_kind[Kind.REPEATED]:
        desk.tally.note(f"{rows(repeated)} stand in the manifest more than once and count once")
    if found.renewed:
        desk.tally.note(f"{rows(found.renewed)} not sent yet take their URL as it is signed now")
    if known := found.known:
        desk.tally.note(f"{rows(known)} known already, {rows(found.new)} new")
    for line in (*found.composition(), *found.besides(batch.state)):
        desk.tally.note(line)
