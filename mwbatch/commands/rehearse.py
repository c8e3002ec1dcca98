"""A dry run: what a submission would do, and what it lacks yet."""

from dataclasses import dataclass, field

from mwbatch.client import Client
from mwbatch.commands.base import NO_BASE, callback_base
from mwbatch.commands.beginning import last_base
from mwbatch.commands.creating import Wishes, check
from mwbatch.commands.desk import Desk
from mwbatch.commands.foresee import foresee
from mwbatch.commands.planning import Source, addressed, choose
from mwbatch.commands.survey import Survey
from mwbatch.core.batch import Batch
from mwbatch.core.identity import Kind
from mwbatch.core.limits import Spent
from mwbatch.core.plural import counted, rows
from mwbatch.errors import Exit
from mwbatch.journal.home_keys import kept_keys
from mwbatch.journal.store import Store


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a submission would do; nothing was written and nothing sent.

    ``no_key`` and ``no_base`` say what a real one lacks yet: the API key, the callback base; ``besides`` what
    people should know of the rows; ``left_out`` rows were asked for before, and the user wants only what is
    new; the limits of the batch hold ``held`` back; ``spent`` is what it has cost beside these.
    """

    batch: str
    is_new: bool
    found: Survey
    to_send: int
    price: float | None
    no_key: str = ""
    no_base: str = ""
    besides: tuple[str, ...] = ()
    left_out: int = 0
    held: int = 0
    spent: Spent = field(default_factory=Spent)

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
        lines += [f"  {line}" for line in (*self.found.composition(), *self.besides)]
        if self.found.found:
            lines.append(f"  {counted(self.found.found, 'problem')}: their rows would be put aside")
        if self.left_out:
            lines.append(f"  {rows(self.left_out)} would be left out, asked for before")
        lines += [f"  {lack}" for lack in (self.no_base, self.no_key) if lack]
        if spent := self.spent.text():
            lines.append(f"  {spent}")
        of = f"{self.to_send:,} of " if self.held else ""
        cost = f", for about {self.cost:,.2f}" if self.cost is not None else ""
        lines.append(f"  {of}{rows(self.to_send + self.held)} to send{cost}")
        return "\n".join(lines)

    @property
    def cost(self) -> float | None:
        """What it would cost, in the currency of the price; None where no price was named."""
        return None if self.price is None else round(self.price * self.to_send, 6)

    def json(self) -> dict[str, object]:
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
            "by_type": {kind: self.found.by_type[kind] for kind in ("tagging", "annotating")},
            **(self.found.scrutiny.json() if self.found.scrutiny else {}),
            "has_key": not self.no_key,
            "has_callback_url": not self.no_base,
            "left_out": self.left_out,
            "to_send": self.to_send,
            "held_back": self.held,
            "cost": self.cost,
            **self.spent.json(),
        }


async def rehearse(
    store: Store,
    origin: str,
    source: Source,
    wishes: Wishes,
    desk: Desk,
    no_key: str = "",
    client: Client | None = None,
) -> Rehearsal:
    """Find out what `submit` would do, without the locks or a write; raises as it does.

    ``no_key`` says why there is no API key, where there is none: it does not hinder a rehearsal, nor does a
    base that is not named yet. The API is asked where there is a ``client``, of what the account's listing
    shows.
    """
    source = await addressed(store, source)
    check(wishes, choose(store, source, origin).card, origin)
    kept_keys(store)
    seen = await foresee(store, origin, source, wishes.repeats, desk, client)
    batch, found = seen.batch, seen.found
    last = await last_base(batch) if batch else None
    if has_base := bool(wishes.callback_url or last):
        callback_base(wishes.callback_url, last, desk)
    state = batch.state if batch else Batch()
    limits = seen.card.limits.updated(wishes.limits)
    to_send = int(min(seen.to_send, limits.left(state)))
    return Rehearsal(
        seen.card.name,
        batch is None,
        found,
        to_send,
        limits.price,
        no_key,
        "" if has_base else NO_BASE,
        tuple(found.besides(state)),
        seen.left_out,
        seen.to_send - to_send,
        limits.spent(state),
    )
