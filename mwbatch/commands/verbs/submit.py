"""Submitting: plan what is new, create what is missing. Running it again sends only what was never sent."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import NamedTuple

from mwbatch.client import Client
from mwbatch.commands.asking.asked_before import Compared, account_of, leave_out, told_left_out, unasked
from mwbatch.commands.asking.planning_turn import PlanningTurn, turn_in
from mwbatch.commands.context.callback_base import NO_BASE
from mwbatch.commands.context.clocks import of_the_api
from mwbatch.commands.context.context import Context
from mwbatch.commands.context.session import Session
from mwbatch.commands.manifest.candidates import Candidates
from mwbatch.commands.manifest.invalid import PutAside, put_aside
from mwbatch.commands.manifest.manifest_survey import ManifestSurvey
from mwbatch.commands.manifest.planning import ManifestSource, addressed, choose, examine, volatile
from mwbatch.commands.manifest.writing import write_plan
from mwbatch.commands.sending.creating import SendOptions, check, check_base, create
from mwbatch.core.manifest.row_identity import RowKind
from mwbatch.core.report.command_outcomes import Created
from mwbatch.core.words.hint import hint
from mwbatch.core.words.plural import rows
from mwbatch.errors import NameTaken, UsageError
from mwbatch.journal.files.closing import in_thread
from mwbatch.journal.interface.distrust import refuse_lost_rows
from mwbatch.journal.interface.open_batch import OpenBatch
from mwbatch.journal.interface.ref import Ref
from mwbatch.journal.interface.store import Store
from mwbatch.journal.keys.home_keys import kept_keys


async def submit(
    store: Store, client: Client, source: ManifestSource, options: SendOptions, context: Context | None = None
) -> Created:
    """Plan the rows of a manifest that its batch does not have yet, and create every task that is missing.

    Raises:
        ManifestError, UsageError, OtherApi: nothing was sent.
        BatchBusy: another process acts on the batch.
        ApiError: the API refuses us or cannot be reached; nothing was sent.
        StoreError: the disk failed; what is in doubt is found out later.
    """
    context = context or Context()
    async with planned(store, client, source, options, context, "submit") as (batch, asking, beside):
        return replace(await create(Session(batch, client, context), asking), **beside._asdict())


class NotSent(NamedTuple):
    """Rows of a manifest that are not sent: ``skipped`` have mistakes, ``left_out`` were asked for before."""

    skipped: int
    left_out: int


@asynccontextmanager
async def planned(
    store: Store, client: Client, source: ManifestSource, options: SendOptions, context: Context, verb: str
) -> AsyncIterator[tuple[OpenBatch, SendOptions, NotSent]]:
    """Open the batch of a manifest under its lock, made if it is new, with every good row planned.

    Gives the batch, the options with a question that says what the rows are, and how many are not sent.

    Raises:
        AskedBefore: other batches asked for the same, as `unasked` says; a new batch is not even made.
    """
    source = replace(await addressed(store, source), only_new=options.repeats.only_new)
    turn = PlanningTurn(store, context)
    try:
        ref, examined = await _batch_of(store, client, source, options, context, turn)
        async with store.act(ref, verb) as batch:
            if (
                examined is None or batch.state.end
            ):  # another one may have had the lock of the new batch first
                examined = await _compared(batch, client, source, options, context, turn)
            else:
                batch.is_new = True
            await check_base(options, batch)
            beside = await _plan(batch, source, *examined, context)
            del examined  # MUST NOT be held while rows are sent: it knows what each of them asks for
            turn.release()
            yield batch, options, beside
    finally:
        turn.release()


async def _compared(
    batch: OpenBatch,
    client: Client,
    source: ManifestSource,
    options: SendOptions,
    context: Context,
    turn: PlanningTurn,
) -> "Examined":
    found = await examine(source, batch, context, of_the_api(client, context))
    info = replace(batch.info, volatile=volatile(source, batch.info))
    candidates = Candidates(info, batch, source=source, found=found)
    account = await account_of(batch.store, client, candidates, options.repeats, context)
    await turn.take()
    compared = await unasked(batch.store, client.origin, candidates, options.repeats, context, account)
    return Examined(found, compared)


async def _plan(
    batch: OpenBatch, source: ManifestSource, found: ManifestSurvey, compared: Compared, context: Context
) -> NotSent:
    """Plan what is to be planned, and put the rest aside."""
    if found.new:
        await in_thread(refuse_lost_rows, batch)
    if not batch.state.planned:
        await batch.kept(id_column=found.id_column)
    await batch.kept(volatile=volatile(source, batch.info))
    end = batch.state.end
    left_out = await leave_out(batch, compared, context)
    found.leave_out(number for number in compared.numbers() if number >= end)
    _tell(found, batch, context)
    skipped = PutAside()
    if found.found:
        skipped = await put_aside(source.path, found, source.aside, batch.info.batch_id)
    for when, there in (("put aside", skipped.now), ("put aside before", skipped.before)):
        for path, count in there.items():
            context.tally.note(
                f"{when} in {path}, because of their mistakes: {rows(count)}. Mend them there, then: "
                f"{hint('submit', path)}"
            )
    await write_plan(batch, source, found, context)
    await compared.keep_consent(batch, context.now())
    return NotSent(skipped.rows, told_left_out(left_out + found.left_out, context))


class Examined(NamedTuple):
    """What a manifest holds, and what of its rows was asked for before."""

    found: ManifestSurvey
    compared: Compared


async def _batch_of(
    store: Store,
    client: Client,
    source: ManifestSource,
    options: SendOptions,
    context: Context,
    turn: PlanningTurn,
    *,
    again: bool = False,
) -> tuple[Ref, Examined | None]:
    """The batch of a manifest; where it has to be made, with what the manifest holds."""
    chosen = await in_thread(choose, store, source, client.origin)
    check(options, chosen.info, client.origin)
    await in_thread(kept_keys, store)
    if chosen.ref is not None:
        return chosen.ref, None
    if not options.callback_url:
        raise UsageError(NO_BASE)
    info = replace(chosen.info, volatile=source.volatile)
    found = await examine(source, None, context, of_the_api(client, context))
    candidates = Candidates(info, source=source, found=found)
    account = await account_of(store, client, candidates, options.repeats, context)
    await turn.take()
    # made by whoever had the turn before
    if (await in_thread(choose, store, source, client.origin)).ref is not None:
        turn.release()
        return await _batch_of(store, client, source, options, context, turn)
    compared = await unasked(store, client.origin, candidates, options.repeats, context, account)
    try:
        ref = await in_thread(store.create, replace(info, id_column=found.id_column, began=client.clock))
    except NameTaken:
        if again:
            raise
        turn.release()
        # MUST NOT lead to another name: the same manifest may be submitted at this moment elsewhere.
        return await _batch_of(store, client, source, options, context, turn, again=True)
    context.tally.note(f"batch {info.name} is new, in {ref.where}")
    return ref, Examined(found, compared)


async def resume(
    store: Store, client: Client, batch_name: str, options: SendOptions, context: Context | None = None
) -> Created:
    """Create every task that is missing, without reading the manifest; raises as `submit` does."""
    context = context or Context()
    ref = await in_thread(store.find, batch_name)
    check(options, ref.info, client.origin)
    async with store.act(ref, "resume") as batch:
        left_out = await _without_asked(batch, client, options, context)
        return replace(await create(Session(batch, client, context), options), left_out=left_out)


async def _without_asked(batch: OpenBatch, client: Client, options: SendOptions, context: Context) -> int:
    """Compare the rows that would be sent; returns how many were asked for before and are withdrawn."""
    candidates = Candidates(batch.info, batch)
    account = await account_of(batch.store, client, candidates, options.repeats, context)
    async with turn_in(batch.store, context):
        compared = await unasked(batch.store, client.origin, candidates, options.repeats, context, account)
        left_out = await leave_out(batch, compared, context)
        await compared.keep_consent(batch, context.now())
    return told_left_out(left_out, context)


def _tell(found: ManifestSurvey, batch: OpenBatch, context: Context) -> None:
    if repeated := found.by_kind[RowKind.REPEATED]:
        context.tally.note(f"{rows(repeated)} stand in the manifest more than once and count once")
    if found.renewed:
        context.tally.note(f"{rows(found.renewed)} not sent yet take their URL as it is signed now")
    if known := found.known:
        context.tally.note(f"{rows(known)} known already, {rows(found.new)} new")
    for line in (*found.composition(), *found.besides(batch.state)):
        context.tally.note(line)
