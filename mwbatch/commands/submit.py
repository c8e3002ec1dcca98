"""Submitting: plan what is new, create what is missing. Running it again sends only what was never sent."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from mwbatch.client import Client
from mwbatch.commands.base import NO_BASE
from mwbatch.commands.clocks import of_the_api
from mwbatch.commands.creating import Wishes, create, pinned
from mwbatch.commands.desk import Desk
from mwbatch.commands.invalid import put_aside
from mwbatch.commands.planning import Source, addressed, choose, examine, write_plan
from mwbatch.commands.survey import Survey
from mwbatch.core.advice import rows
from mwbatch.core.batch import Batch
from mwbatch.core.identity import Kind
from mwbatch.core.limits import Limits
from mwbatch.core.outcomes import Created
from mwbatch.core.text import Json
from mwbatch.errors import Exit, NameTaken, UsageError
from mwbatch.journal.home import Card, Home
from mwbatch.journal.opened import Opened, act, look


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
    async with planned(home, client, source, wishes, desk, "submit") as (batch, skipped):
        return replace(await create(batch, client, wishes, desk), skipped=skipped)


@asynccontextmanager
async def planned(
    home: Home, client: Client, source: Source, wishes: Wishes, desk: Desk, verb: str
) -> AsyncIterator[tuple[Opened, int]]:
    """Open the batch of a manifest under its lock, made if it is new, with every good row of the manifest planned.

    Gives the batch and how many rows with mistakes were put aside.
    """
    source = await addressed(home, source)
    folder, card, found = await _batch_of(home, client, source, wishes, desk)
    async with act(home, folder, card, verb) as batch:
        if found is None or batch.state.end:  # another one may have had the lock of the new batch first
            found = await examine(source, batch, desk, of_the_api(client, desk))
        if not batch.state.planned:
            batch.keep(id_column=found.id_column)
        batch.keep(volatile=tuple(dict.fromkeys((*batch.card.volatile, *source.volatile))))
        _tell(found, desk)
        skipped = await put_aside(source.path, found, source.aside, card.batch_id) if found.found else 0
        if skipped:
            desk.tally.note(
                f"{rows(skipped)} have mistakes and are put aside in {source.aside}: mend them there, then: "
                f"mwbatch submit {source.aside}"
            )
        await write_plan(batch, source, found, desk)
        yield batch, skipped


async def _batch_of(
    home: Home, client: Client, source: Source, wishes: Wishes, desk: Desk, *, again: bool = False
) -> tuple[Path, Card, Survey | None]:
    """The batch of a manifest; where it has to be made, with what the manifest holds."""
    chosen = choose(home, source, client.origin)
    pinned(chosen.card, client.origin)
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
    pinned(card, client.origin)
    async with act(home, folder, card, "resume") as batch:
        return await create(batch, client, wishes, desk)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a submission would do; nothing was written and nothing sent."""

    batch: str
    is_new: bool
    found: Survey
    to_send: int
    price: float | None

    @property
    def exit(self) -> Exit:
        """Always done: mistakes are raised."""
        return Exit.DONE

    def text(self) -> str:
        """One sentence a line."""
        lines = [f"dry run: batch {self.batch} {'would be new' if self.is_new else 'is there already'}"]
        lines.append(f"  {rows(self.found.new)} to plan, {rows(self.found.known)} known already")
        if self.found.renewed:
            lines.append(
                f"  {rows(self.found.renewed)} not sent yet would take their URL as it is signed now"
            )
        if self.found.found:
            lines.append(f"  {self.found.found:,} problems: their rows would be put aside")
        lines.append(
            f"  {rows(self.to_send)} to send"
            + (f", for about {self.cost:,.2f}" if self.cost is not None else "")
        )
        return "\n".join(lines)

    @property
    def cost(self) -> float | None:
        """What it would cost, in the currency of the price; None where no price was named."""
        return None if self.price is None else round(self.price * self.to_send, 6)

    def json(self) -> Json:
        """The object for scripts."""
        return {
            "dry_run": True,
            "batch": self.batch,
            "new_batch": self.is_new,
            "new_rows": self.found.new,
            "known_rows": self.found.known,
            "renewed_rows": self.found.renewed,
            "repeated_rows": self.found.by_kind[Kind.REPEATED],
            "problem_count": self.found.found,
            "to_send": self.to_send,
            "cost": self.cost,
        }


async def rehearse(
    home: Home, origin: str, source: Source, desk: Desk, limits: Limits | None = None
) -> Rehearsal:
    """Find out what `submit` would do, without the lock, the API or a write; raises as it does."""
    source = await addressed(home, source)
    chosen = choose(home, source, origin)
    pinned(chosen.card, origin)
    batch = await look(home, chosen.folder, chosen.card) if chosen.folder else None
    found = await examine(source, batch, desk)
    state = batch.state if batch else Batch()
    limits = chosen.card.limits.updated(limits or Limits())
    to_send = min(found.new + state.sendable(), limits.left(state))
    return Rehearsal(chosen.card.name, chosen.folder is None, found, int(to_send), limits.price)


def _tell(found: Survey, desk: Desk) -> None:
    if repeated := found.by_kind[Kind.REPEATED]:
        desk.tally.note(f"{rows(repeated)} stand in the manifest more than once and count once")
    if found.renewed:
        desk.tally.note(f"{rows(found.renewed)} not sent yet take their URL as it is signed now")
    if known := found.known:
        desk.tally.note(f"{rows(known)} known already, {rows(found.new)} new")
