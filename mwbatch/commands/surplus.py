"""Surplus: a row with more tasks than it needs. Each is looked at once more, then cancelled while that saves money."""

from dataclasses import dataclass, field

from mwbatch.client import Client
from mwbatch.commands.canceling import cancel_task
from mwbatch.commands.desk import Desk
from mwbatch.commands.fetching import Open, look
from mwbatch.core.fold import TaskState
from mwbatch.journal.opened import Opened


@dataclass(slots=True)
class Cancelled:
    """What became of surplus tasks; each entry is a sentence."""

    done: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


async def cancel_surplus(batch: Opened, client: Client, desk: Desk) -> Cancelled:
    """Cancel every surplus task that is still pending. MUST be called under the batch's lock."""
    result = Cancelled()
    for number in sorted({number for number, _ in batch.state.surplus()}):
        if desk.stopping.is_set():
            break
        row = batch.state.row(number)
        for task in list(row.tasks.values()):
            if not task.answered and not task.canceled:
                await look(batch, client, desk, Open(number, task.attempt, task.task_id))
        for task in batch.state.row(number).surplus:
            if not task.answered:
                await _cancel(batch, client, desk, number, task, result)
    for sentence in (*result.done, *result.failed):
        desk.tally.note(sentence)
    return result


async def _cancel(
    batch: Opened, client: Client, desk: Desk, number: int, task: TaskState, result: Cancelled
) -> None:
    """Cancel one task, and tell of it."""
    error = await cancel_task(batch, client, desk, Open(number, task.attempt, task.task_id))
    if error is not None:
        result.failed.append(f"surplus task {task.task_id} of row {number} could not be cancelled: {error}")
        return
    kept = batch.state.row(number).kept
    result.done.append(
        f"surplus task {task.task_id} of row {number} was cancelled; {kept.task_id if kept else 'none'} is kept"
    )
