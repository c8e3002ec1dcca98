"""`mwbatch status`."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated

from mwbatch import settings
from mwbatch.cli.options import verb
from mwbatch.cli.program import Result, glance, perform
from mwbatch.cli.wiring import home_of, open_home
from mwbatch.declarations import Argument, Option

if TYPE_CHECKING:
    from mwbatch.commands.desk import Desk
    from mwbatch.journal.home import Home

RowStatus = Annotated[
    str | None,
    Option("--rows", metavar="STATUS", help="List the rows in this status, with line, id and message."),
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
    place: settings.Place,
    talk: settings.Talk,
) -> None:
    """Say where a batch stands, and what to do next.

    Without a name: where every batch stands. It makes no request and takes no lock: look as often as you like, also
    while a batch runs.

    \b
    Examples:
      mwbatch status
      mwbatch status ten --rows rejected
    """
    if watch and batch is not None and rows is None:
        perform(partial(keep_watching, place, batch, price, demanded=require_complete), talk)

    def look(tell: Callable[[str], None]) -> Result:
        home = home_of(place, tell)
        if batch is None:
            return everything(home, price, demanded=require_complete)
        if rows is not None:
            return row_list(home, batch, rows)
        return one(home, batch, price, demanded=require_complete)

    glance(look, talk)


def one(home: "Home", batch: str, price: float | None, *, demanded: bool) -> Result:
    """Where one batch stands; at a ``price`` a task, where that is not the one kept with the batch."""
    from mwbatch.journal.opened import read
    from mwbatch.views.standing import Standing

    return Standing(read(home, *home.find(batch)).report().priced(price), demanded)


def everything(home: "Home", price: float | None, *, demanded: bool) -> Result:
    """Where every batch stands; at a ``price`` a task, where the batch keeps none or another."""
    from mwbatch.errors import StoreError
    from mwbatch.journal.batches import each
    from mwbatch.journal.opened import read
    from mwbatch.views.standing import Standings

    made = [
        report
        for _, report in each(home, lambda folder, card: read(home, folder, card).report().priced(price))
    ]
    unreadable = tuple(str(why) for why in made if isinstance(why, StoreError))
    reports = tuple(report for report in made if not isinstance(report, StoreError))
    return Standings(str(home.path), reports, demanded, unreadable)


def row_list(home: "Home", batch: str, status: str) -> Result:
    """The rows in one status."""
    from mwbatch.core.fold import Status
    from mwbatch.errors import UsageError
    from mwbatch.journal.opened import read
    from mwbatch.views.listing import rows

    if status not in list(Status):
        raise UsageError(f"--rows {status}: a row is {', '.join(Status)}")
    return rows(read(home, *home.find(batch)), Status(status))


async def keep_watching(
    place: settings.Place, batch: str, price: float | None, desk: "Desk", *, demanded: bool
) -> Result:
    """Show the counts until the batch is complete, or the user has seen enough; then where it stands."""
    import asyncio

    from mwbatch.core.fold import Status
    from mwbatch.core.progress import unfinished
    from mwbatch.journal.lock import holder
    from mwbatch.journal.tail import Watched

    home = open_home(place, desk)
    folder, card = home.find(batch)
    watched, tally = Watched(folder), desk.tally
    while True:
        state = await asyncio.to_thread(watched.look)
        counts = state.by_status()
        tally.begin(card.name, state.planned, done=counts[Status.COMPLETED])
        sent = counts[Status.DOUBT]
        tally.in_flight = sent if sent and holder(folder) else 0
        tally.doubt, tally.rejected = sent - tally.in_flight, counts[Status.REJECTED]
        if not unfinished(counts) or await desk.sleep(2.0):
            return await asyncio.to_thread(one, home, batch, price, demanded=demanded)
