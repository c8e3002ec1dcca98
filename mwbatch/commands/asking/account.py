"""Walks through the account's listing, to see what it shows: pages and time are said first,
and it ends when asked to.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from mwbatch.commands.context.clocks import of_the_api
from mwbatch.commands.context.context import Context
from mwbatch.core.api.task import Task
from mwbatch.core.api.walk import REPEATS, ListedTasks
from mwbatch.core.codec.times import iso
from mwbatch.core.words.plural import counted
from mwbatch.core.words.since import moment_of
from mwbatch.core.words.values import LONGEST_WALK

if TYPE_CHECKING:
    from mwbatch.client import Client


async def look_through(
    client: "Client", take: Callable[[Sequence[Task]], None], since: str, context: Context
) -> str:
    """Hand on every task created ``since`` then, in the user's words, each once;
    returns why these are not all, else nothing.

    Raises:
        UsageError: nobody can tell since when.
        ApiError: the listing cannot be read.
    """
    tally, known, offset = context.tally, ListedTasks(), 0
    begun = context.ticks()
    tally.begin("asking the API")
    start = moment_of(since, (await of_the_api(client, context)()).now)
    while True:
        page = await client.list_page(start_time=start, offset=offset, fresh=True)
        if not offset:
            _say(context, page.total, iso(start), page.received, context.ticks() - begun)
        take([task for task in page.tasks if known.is_new(task.task_id)])
        tally.begin("looking through the account")
        tally.listed, offset = len(known), offset + page.received
        if page.is_last:
            lacking = (page.total or 0) - len(known)
            return (
                f"the listing shows {counted(len(known), 'task')} and says that there are {page.total:,}"
                if lacking > 0
                else ""
            )
        if known.leads_nowhere():
            return REPEATS
        if context.stopping.is_set() or context.ticks() - begun > LONGEST_WALK:
            return f"stopped after {counted(len(known), 'task')}"


def _say(context: Context, total: int | None, start: str, page: int, seconds: float) -> None:
    if total is None:
        context.tally.note(
            f"looking through the account's tasks since {start}; the API does not say how many there are"
        )
        return
    pages = -(-total // max(page, 1))
    context.tally.note(
        f"looking through {counted(total, 'task')} of the account since {start}: "
        f"{counted(pages, 'page')}, about {pages * seconds:,.0f} s"
    )
