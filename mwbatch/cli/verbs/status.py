"""`mwbatch status`."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated

from mwbatch.cli.options import verb
from mwbatch.cli.program import glance, perform
from mwbatch.cli.wiring import home_of, open_home
from mwbatch.core.words.hint import hint
from mwbatch.errors import UsageError
from mwbatch.library.settings import groups as settings
from mwbatch.library.settings.declarations import Argument, Option
from mwbatch.views.plain import Result

if TYPE_CHECKING:
    from mwbatch.commands.context.context import Context
    from mwbatch.journal.interface.store import Store

RowStatus = Annotated[
    str | None,
    Option(
        "--rows",
        metavar="[planned|doubt|pending|completed|canceled|rejected]",
        help="List the rows in this status, with line, id and message: planned (not sent yet), doubt "
        "(sent, and nobody knows yet "
        "whether there is a task), pending, completed, canceled, rejected (by the API).",
    ),
]


@verb
def status(
    batch: Annotated[
        str | None, Argument(metavar="[BATCH]", help="A batch's name or its manifest; all without.")
    ] = None,
    *,
    rows: RowStatus = None,
    watch: Annotated[
        bool, Option("--watch", help="Look again every two seconds, until it is complete.")
    ] = False,
    require_complete: settings.RequireOption = False,
    price: settings.PriceOption = None,
    place: settings.HomeOptions,
    talk: settings.OutputOptions,
) -> None:
    """Say where a batch stands, and what to do next.

    Without a name: where every batch stands. It makes no request and takes no lock: look as often as you
    like, also while a batch runs.

    \b
    Examples:
      mwbatch status
      mwbatch status ten --rows rejected
    """
    if watch and rows is None:
        perform(partial(keep_watching, place, batch, price, demanded=require_complete), talk)

    def look(tell: Callable[[str], None]) -> Result:
        if watch:
            raise UsageError("--watch shows how many rows are in each status: leave out --rows")
        home = home_of(place, tell)
        if batch is None and rows is not None:
            raise UsageError(
                f"--rows {rows} lists the rows of one batch: name it; without it: {hint('status')}"
            )
        if batch is None:
            return everything(home, price, demanded=require_complete)
        if rows is not None:
            return row_list(home, batch, rows)
        return one(home, batch, price, demanded=require_complete)

    glance(look, talk)


def one(home: "Store", batch: str, price: float | None, *, demanded: bool) -> Result:
    """Where one batch stands; at a ``price`` a task, where that is not the one kept with the batch."""
    from mwbatch.journal.interface.open_batch import read
    from mwbatch.views.standing import one

    return one(read(home, home.find(batch)).report().priced(price), demanded=demanded)


def everything(home: "Store", price: float | None, *, demanded: bool) -> Result:
    """Where every batch stands; at a ``price`` a task, where the batch keeps none or another."""
    from mwbatch.errors import StoreError
    from mwbatch.journal.interface.batches import each
    from mwbatch.journal.interface.open_batch import read
    from mwbatch.views.standing import every

    made = [report for _, report in each(home, lambda ref: read(home, ref).report().priced(price))]
    unreadable = tuple(str(why) for why in made if isinstance(why, StoreError))
    reports = tuple(report for report in made if not isinstance(report, StoreError))
    return every(home.where, reports, demanded=demanded, unreadable=unreadable)


def row_list(home: "Store", batch: str, status: str) -> Result:
    """The rows in one status."""
    from mwbatch.core.state.row_status import Status
    from mwbatch.journal.interface.open_batch import read
    from mwbatch.views.listing import rows

    if status not in list(Status):
        raise UsageError(f"--rows {status}: a row is {', '.join(Status)}")
    return rows(read(home, home.find(batch)), Status(status))


async def keep_watching(
    place: settings.HomeOptions, batch: str | None, price: float | None, context: "Context", *, demanded: bool
) -> Result:
    """Show the counts until the batch, or every one, is complete, or the user has seen enough;
    then where it stands.
    """
    from mwbatch.core.report.progress import unfinished
    from mwbatch.core.state.batch import Batch
    from mwbatch.core.state.row_status import Status
    from mwbatch.journal.files.closing import in_thread
    from mwbatch.journal.interface.journal import Journal
    from mwbatch.journal.interface.ref import usable

    home, tally = open_home(place, context), context.tally
    named = None if batch is None else [home.find(batch)]
    watched = dict[str, tuple[Journal, Batch | None]]()
    while True:
        there = list(usable(home.batches())) if named is None else named
        counts, flying = Counter[Status](), 0
        for ref in there:
            journal, last = watched.get(ref.where) or (home.open(ref).journal, None)
            state = await in_thread(journal.refresh, last)
            watched[ref.where] = journal, state
            counts.update(now := state.by_status())
            flying += now[Status.DOUBT] if now[Status.DOUBT] and home.holder(ref) else 0
        phase = there[0].info.name if len(there) == 1 else f"{len(there):,} batches"
        tally.begin(phase, counts.total(), done=counts[Status.COMPLETED])
        tally.in_flight, tally.rejected = flying, counts[Status.REJECTED]
        tally.doubt = counts[Status.DOUBT] - flying
        with context.in_flight():
            stopped = await context.sleep(2.0) if unfinished(counts) else True
        if stopped:
            if batch is None:
                return await in_thread(everything, home, price, demanded=demanded)
            return await in_thread(one, home, batch, price, demanded=demanded)
