"""Walks through the listing, page by page, and keeps what it shows of the batch."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from mwbatch.client import Client
from mwbatch.commands.desk import Desk
from mwbatch.core.address import Address
from mwbatch.core.batch import Batch
from mwbatch.core.facts import Seen, Via
from mwbatch.core.showing import news, seen
from mwbatch.core.sweep import Place, Sight, Sweep
from mwbatch.core.text import encode
from mwbatch.core.times import http_time, iso, moment
from mwbatch.journal.opened import Opened


@dataclass(frozen=True, slots=True)
class Swept:
    """What a walk came to. ``tasks`` were listed in all, ``ours`` of them at addresses of the batch.

    ``end`` is the server's clock when the walk began (ISO 8601), None where the server tells none; ``flaws`` say why
    nothing may be concluded from what was not shown; ``new`` counts tasks of which it told something new; ``forged`` are
    the attempts whose address stands there without our signature: that is no evidence, and no absence either.
    """

    tasks: int
    ours: int
    new: int
    forged: frozenset[Place]
    end: str | None
    flaws: tuple[str, ...]


async def sweep(
    batch: Opened, client: Client, desk: Desk, start: datetime | None, must: Iterable[str] = ()
) -> Swept:
    """List everything created from ``start`` to the server's now, record what is ours, and judge the listing.

    ``must`` names tasks that have to be shown although they may be younger than the server's now. Raises `ApiError` where the listing
    cannot be read.
    """
    now = http_time((await client.list_page(limit=1, fresh=True)).clock)
    wanted = frozenset(must)
    walk, new = await _walk(batch, client, desk, start, now)
    flaws = walk.flaws(expected(batch.state, start, now, wanted))
    if not walk.counted and not flaws:
        again, more = await _walk(batch, client, desk, start, now)
        new += more
        flaws = again.flaws(expected(batch.state, start, now, wanted))
        if not (flaws or again.lists_as(walk)):
            flaws = ["two walks through the listing differ"]
    return Swept(walk.tasks, walk.ours, new, frozenset(walk.forged), iso(now) if now else None, tuple(flaws))


async def glance(batch: Opened, client: Client, desk: Desk, start: datetime | None) -> int:
    """Record what is listed from ``start`` on, be it proof or not; returns of how many tasks it told something new.

    It has no end: the server's clock counts whole seconds, and what was created in this one would be left out.
    """
    _, new = await _walk(batch, client, desk, start, None)
    return new


def expected(
    state: Batch, start: datetime | None, end: datetime | None, must: frozenset[str] = frozenset()
) -> Iterator[tuple[str, Place]]:
    """The tasks that a listing of this interval has to show, since we know them and when they were created.

    Those of ``must`` count too where they are younger than its end, or of unknown age.
    """
    return (
        (task.task_id, Place(number, task.attempt))
        for number, task in state.tasks()
        if _within(task.created_at, start, end)
        or (task.task_id in must and not _before(task.created_at, start))
    )


def _before(created_at: str, start: datetime | None) -> bool:
    created = moment(created_at)
    return created is not None and start is not None and created < start


def _within(created_at: str, start: datetime | None, end: datetime | None) -> bool:
    created = moment(created_at)
    return created is not None and (start is None or start <= created) and (end is None or created <= end)


async def _walk(
    batch: Opened,
    client: Client,
    desk: Desk,
    start: datetime | None,
    end: datetime | None,
) -> tuple[Sweep, int]:
    """One walk; returns it with the number of tasks of which it told the journal something new."""
    first, last = (iso(time) if time else None for time in (start, end))
    walk = Sweep(batch.card.batch_id, genuine(batch), first, last)
    new = 0
    while (query := walk.query) is not None:
        page = await client.list_page(
            start_time=query.start, end_time=query.end, offset=query.offset, fresh=True
        )
        news = [facts for sight in walk.add(page) if (facts := learned(batch.state, sight, desk.now()))]
        await batch.record(list(chain.from_iterable(news)))
        new += len(news)
        desk.tally.listed = walk.tasks
    return walk, new


def genuine(batch: Opened) -> Callable[[str, Address], bool]:
    """How a task at one of our addresses is told from a forged one.

    A live key made the address, or it names a retired one of the batch, or the batch knows the task at that place. The mac of a retired key cannot be checked any more. Its tasks count all the same: who lists them is the API under our
    own key, where strangers create nothing, and to overlook one would pay its row twice.
    """
    keys, kids = batch.home.keys(), batch.card.kids

    def is_genuine(task_id: str, address: Address) -> bool:
        if keys.verify(address) or (address.kid in kids and keys.is_retired(address.kid)):
            return True
        known = batch.state.task(address.row, task_id)
        return known is not None and known.attempt == address.attempt

    return is_genuine


def learned(state: Batch, sight: Sight, at: float) -> list[Seen]:
    """The facts that a task was seen, so far as they tell the batch anything that it does not know."""
    if not sight.genuine:
        return []
    task, place = sight.task, sight.place
    known = state.task(place.row, task.task_id)
    if (
        known is not None
        and known.confirmed
        and (known.answered or (task.response is None and task.status == known.status))
    ):
        return []
    return news(known, seen(task, place.row, place.attempt, Via.LIST, at, encode(sight.document)))
