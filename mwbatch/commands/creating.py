"""Creating the tasks that a batch is missing: what comes before the first request, and what is said after the last."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from mwbatch.client import Client
from mwbatch.client.probe import probe
from mwbatch.commands.desk import Desk
from mwbatch.commands.sending import Ending, Sender, Sending
from mwbatch.core.address import NOBODY, Key
from mwbatch.core.advice import rows
from mwbatch.core.facts import Started
from mwbatch.core.limits import Limits
from mwbatch.core.pace import MOST, Pace
from mwbatch.core.progress import Report
from mwbatch.errors import Exit, OtherApi, UsageError
from mwbatch.journal.home import Card
from mwbatch.journal.opened import Opened

ASK_ABOVE: Final = 100
"""More tasks than this are created only after the user was asked, where there is somebody to ask."""

NO_CALLBACKS: Final = "none"
"""The callback base of users whom nobody can call."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """How the user wants it sent.

    ``callback_url`` None means the base that the batch used last; ``confirm`` is asked before many tasks are created.
    """

    callback_url: str | None = None
    concurrency: int = MOST
    rate: float | None = None
    keep_going: bool = False
    limits: Limits = field(default_factory=Limits)
    confirm: Callable[[str], bool] = lambda _: True


@dataclass(frozen=True, slots=True)
class Created:
    """What a run came to: where the batch stands, and why the run ended if it ended early."""

    report: Report
    ending: Ending

    @property
    def exit(self) -> Exit:
        """Done when every row has a task or is final."""
        return max(self.ending.exit, self.report.exit(done=self.report.submitted))


def pinned(card: Card, client: Client) -> None:
    """Raise `OtherApi` where the batch belongs to another API than the one that the client speaks to."""
    if card.origin != client.origin:
        raise OtherApi(
            f"batch {card.name} belongs to {card.origin}, and MICROWORK_BASE_URL is {client.origin}: its tasks live "
            f"there; set MICROWORK_BASE_URL back, or begin another batch with --batch"
        )


async def create(batch: Opened, client: Client, wishes: Wishes, desk: Desk) -> Created:
    """Create the tasks of every row that may be sent, within the limits of the batch.

    Raises:
        UsageError: there is no callback base, or the user said no.
        ApiError: the API refuses us or cannot be reached; nothing was sent.
        StoreError: outcomes could not be written; they are found again by a listing.
    """
    batch.keep(limits=batch.card.limits.updated(wishes.limits))
    wanted = sum(row.planned and row.sendable for row in batch.state.rows.values())
    allowed = int(min(wanted, batch.card.limits.left(batch.state)))
    ending = Ending()
    if wanted > allowed:
        ending.because(
            Exit.UNFINISHED,
            f"the batch may have {batch.card.limits.tasks:,.0f} tasks; {rows(wanted - allowed)} not sent",
        )
    if allowed:
        if allowed > ASK_ABOVE and not wishes.confirm(_question(batch, allowed)):
            raise UsageError("nothing was sent, as you said")
        await _send(batch, client, wishes, desk, allowed, ending)
    return Created(batch.report(), ending)


def _question(batch: Opened, count: int) -> str:
    price = batch.card.limits.price
    cost = f", for about {price * count:,.2f}" if price else ""
    return f"create {rows(count).replace('row', 'task')} at {batch.card.origin}{cost}?"


async def _send(
    batch: Opened, client: Client, wishes: Wishes, desk: Desk, allowed: int, ending: Ending
) -> None:
    key = batch.home.keys().newest
    base = await callback_base(batch, wishes, desk)
    tally = desk.tally
    tally.phase, tally.done, tally.total = "asking the API", 0, allowed
    clock = (await client.list_page(limit=1, fresh=True)).clock
    await _warn(base, key, desk)
    batch.keep(kids=tuple(dict.fromkeys((*batch.card.kids, key.kid))))
    how = Sending(base, key, client.origin, client.key, clock, wishes.keep_going)
    sender = Sender(batch, client, Pace(wishes.concurrency, wishes.rate), how, desk, ending)
    tally.phase = "creating tasks"
    await sender.send(batch.journal.read_rows(), allowed)
    tally.phase = ""


async def callback_base(batch: Opened, wishes: Wishes, desk: Desk) -> str:
    """The callback base to use: the one asked for, else the one used last, which is said.

    Raises:
        UsageError: there is neither.
    """
    if wishes.callback_url == NO_CALLBACKS:
        return NOBODY
    if wishes.callback_url:
        return checked_base(wishes.callback_url)
    started = [fact for fact in batch.journal.read_journal() if isinstance(fact, Started)]
    if not started:
        raise UsageError(NO_BASE)
    last = max(started, key=lambda fact: fact.at).base
    desk.tally.note(f"callbacks go to {last}, as before")
    return last


NO_BASE: Final = (
    "no callback base: give --callback-url (or MWBATCH_CALLBACK_URL) the public URL of your mwbatch serve-callbacks, "
    "or --callback-url none to fetch results by polling"
)


def checked_base(url: str) -> str:
    """A callback base as it is used; raises `UsageError` for what cannot be one."""
    from yarl import URL  # noqa: PLC0415 (views do without)

    try:
        base = URL(url)
    except ValueError as error:
        raise UsageError(f"--callback-url {url!r} is no URL ({error})") from None
    if base.scheme not in ("http", "https") or not base.host:
        raise UsageError(f"--callback-url {url!r} must begin with http:// or https:// and name a host")
    if base.query_string or base.fragment or base.user:
        raise UsageError(f"--callback-url {url!r} may carry a path, but no query, fragment or password")
    return str(base).rstrip("/")


async def _warn(base: str, key: Key, desk: Desk) -> None:
    """Post a signed probe to our own callback base; people should know before money is spent."""
    if base == NOBODY:
        return
    problem = await probe(base, key)
    if problem:
        desk.tally.note(
            f"warning: no receiver answers at {base} ({problem}); start one with mwbatch serve-callbacks. Tasks are "
            f"created all the same: answers that find nobody are fetched by mwbatch reconcile"
        )
