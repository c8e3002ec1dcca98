"""Submitting: plan what is new, create what is missing. Running it again sends only what was never sent."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from mwbatch.client import Client
from mwbatch.commands.base import NO_BASE
from mwbatch.commands.clocks import of_the_api
from mwbatch.commands.creating import Wishes, check, check_base, create
from mwbatch.commands.desk import Desk
from mwbatch.commands.invalid import put_aside
from mwbatch.commands.planning import Source, addressed, choose, examine, write_plan
from mwbatch.commands.survey import Survey
from mwbatch.core.advice import rows
from mwbatch.core.identity import Kind
from mwbatch.core.outcomes import Created
from mwbatch.errors import NameTaken, UsageError
from mwbatch.journal.home import Card, Home
from mwbatch.journal.opened import Opened, act


async def submit(
    home: Home, client: Client, source: Source, wishes: Wishes, desk: Desk | None = None
) -> Created:
    """Plan the rows of a manifest that its batch does not have yet, and create every task that is missing.

    Raises:
        ManifestError, UsageError, OtherApi: nothing was sent.
        BatchBusy: another process acts on the batch.
        ApiError: the API refuses us or cannot be reached; nothing was sent.
        StoreError: the disk failed; what is in doubt is found out later.
    """
    desk = desk or Desk()
    async with planned(home, client, source, wishes, desk, "submit") as (batch, asking, skipped):
        return replace(await create(batch, client, asking, desk), skipped=skipped)


@asynccontextmanager
async def planned(
    home: Home, client: Client, source: Source, wishes: Wishes, desk: Desk, verb: str
) -> AsyncIterator[tuple[Opened, Wishes, int]]:
    """Open the batch of a manifest under its lock, made if it is new, with every good row of the manifest planned.

    Gives the batch, the wishes with a question that says what the rows are, and how many with mistakes were put aside.
    """
    source = await addressed(home, source)
    folder, card, found = await _batch_of(home, client, source, wishes, desk)
    async with act(home, folder, card, verb) as batch:
        if found is None or batch.state.end:  # another one may have had the lock of the new batch first
            found = await examine(source, batch, desk, of_the_api(client, desk))
        check_base(wishes, batch)
        if not batch.state.planned:
            batch.keep(id_column=found.id_column)
        batch.keep(volatile=tuple(dict.fromkeys((*batch.card.volatile, *source.volatile))))
        _tell(found, batch, desk)
        skipped = await put_aside(source.path, found, source.aside, card.batch_id) if found.found else 0
        if skipped:
            desk.tally.note(
                f"{rows(skipped)} have mistakes and are put aside in {source.aside}: mend them there, then: "
                f"mwbatch submit {source.aside}"
            )
        await write_plan(batch, source, found, desk)
        yield batch, _asking(wishes, found), skipped


async def _batch_of(
    home: Home, client: Client, source: Source, wishes: Wishes, desk: Desk, *, again: bool = False
) -> tuple[Path, Card, Survey | None]:
    """The batch of a manifest; where it has to be made, with what the manifest holds."""
    chosen = choose(home, source, client.origin)
    check(wishes, chosen.card, client.origin)
    if chosen.folder is not None:
        return chosen.folder, chosen.card, None
    if not wishes.callback_url:
        raise UsageError(NO_BASE)
    found = await examine(source, None, desk, of_the_api(client, desk))
    try:
        folder, card = home.create(replace(chosen.card, id_column=found.id_column))
    except NameTaken:
        if again:
            raise
        # MUST NOT lead to another name: the same manifest may be submitted at this moment elsewhere.
        return await _batch_of(home, client, source, wishes, desk, again=True)
    desk.tally.note(f"batch {card.name} is new, in {folder}")
    return folder, card, found


async def resume(
    home: Home, client: Client, batch_name: str, wishes: Wishes, desk: Desk | None = None
) -> Created:
    """Create every task that is missing, without reading the manifest; raises as `submit` does."""
    desk = desk or Desk()
    folder, card = home.find(batch_name)
    check(wishes, card, client.origin)
    async with act(home, folder, card, "resume") as batch:
        return await create(batch, client, wishes, desk)


def _tell(found: Survey, batch: Opened, desk: Desk) -> None:
    if repeated := found.by_kind[Kind.REPEATED]:
        desk.tally.note(f"{rows(repeated)} stand in the manifest more than once and count once")
    if found.renewed:
        desk.tally.note(f"{rows(found.renewed)} not sent yet take their URL as it is signed now")
    if known := found.known:
        desk.tally.note(f"{rows(known)} known already, {rows(found.new)} new")
    for line in (*found.composition(), *found.besides(batch.state)):
        desk.tally.note(line)


def _asking(wishes: Wishes, found: Survey) -> Wishes:
    """The same wishes; whoever is asked reads what the new rows are."""

    def confirm(question: str) -> bool:
        return wishes.confirm("\n".join([*found.composition(), question]))

    return replace(wishes, confirm=confirm)
