"""Fetching answers whose callback never came: one GET a task, many at a time."""

from collections.abc import Callable
from typing import NamedTuple

from mwbatch.client import Client
from mwbatch.commands.crew import crew
from mwbatch.commands.desk import Desk
from mwbatch.core.facts import Via
from mwbatch.core.fold import Status, TaskState
from mwbatch.core.showing import news, seen
from mwbatch.errors import ApiError, Halted, NotFound
from mwbatch.journal.opened import Opened


class Open(NamedTuple):
    """A task of which no answer is on disk and which is not canceled."""

    row: int
    attempt: int
    task_id: str


async def fetch(
    batch: Opened,
    client: Client,
    desk: Desk,
    *,
    but: Callable[[TaskState], bool] = lambda _: False,
    on_gone: Callable[[str], None] = lambda _: None,
    at_once: int = 32,
) -> int:
    """Look at every open task and record what is shown; returns how many answers came.

    Those for which ``but`` says so are left out; ``on_gone`` is told of each that the API does not know any more. A task
    that cannot be looked at stays as it is, and is told of. Raises `Halted` where the API refuses us.
    """
    remaining = (
        Open(row, task.attempt, task.task_id)
        for row, task in batch.state.open()
        if not (task.confirmed and but(task))
    )
    tally, answers = desk.tally, 0
    tally.phase, tally.done, tally.total = "fetching answers", 0, batch.state.by_status()[Status.PENDING]

    async def work() -> None:
        nonlocal answers
        for task in remaining:
            if desk.stopping.is_set():
                return
            came = await look(batch, client, desk, task, on_gone)
            answers += came  # not in one: `+=` reads the sum before it awaits
            tally.done += 1

    await crew([work() for _ in range(at_once)])
    return answers


async def look(
    batch: Opened, client: Client, desk: Desk, task: Open, on_gone: Callable[[str], None] = lambda _: None
) -> bool:
    """Look at one task and record what is shown; says whether its answer came."""
    try:
        shown, body = await client.retrieve_raw(task.task_id)
    except Halted:
        raise
    except NotFound:
        on_gone(task.task_id)
        desk.tally.note(f"the API no longer knows task {task.task_id} of row {task.row}; it stays pending")
        return False
    except ApiError as error:
        desk.tally.note(f"a task could not be looked at, it stays pending: {error}")
        return False
    fact = seen(shown, task.row, task.attempt, Via.GET, desk.now(), body)
    known = batch.state.task(task.row, task.task_id)
    if known is not None and known.confirmed and fact.answer is None and fact.status in ("", "pending"):
        return False
    await batch.record(news(known, fact))
    return fact.answer is not None
