"""Surplus: a row with more tasks than it needs.

Each is looked at once more, then canceled while that saves money.
"""

from dataclasses import dataclass, field

from mwbatch.commands.context.session import Session
from mwbatch.commands.settling.canceling import cancel_task
from mwbatch.commands.settling.fetching import Open, look
from mwbatch.core.codec.ids import RowNumber
from mwbatch.core.state.task_state import TaskState


@dataclass(slots=True)
class SurplusCanceled:
    """What became of surplus tasks; each entry is a sentence."""

    done: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


async def cancel_surplus(session: Session) -> SurplusCanceled:
    """Cancel every surplus task that is still pending. MUST be called under the batch's lock."""
    result = SurplusCanceled()
    for number in sorted({number for number, _ in session.state.surplus()}):
        if session.is_stopping:
            break
        await _thin_out(session, number, result)
    for sentence in (*result.done, *result.failed):
        session.note(sentence)
    return result


async def _thin_out(session: Session, number: RowNumber, result: SurplusCanceled) -> None:
    """Cancel what a row has too much of, if a look shows it at its address, and the kept task too."""
    looks = {
        task.task_id: await look(session, Open(number, task.attempt, task.task_id))
        for task in list(session.state.row(number).tasks.values())
        if not task.canceled and not (task.answered and task.confirmed)
    }
    row = session.state.row(number)
    doubts = {name: seeing.why for name, seeing in looks.items() if seeing.why}
    for task in row.surplus:
        why = doubts.get(task.task_id) or doubts.get(row.paid[0].task_id)
        if task.answered:
            continue
        if why:
            result.failed.append(f"extra task {task.task_id} of row {number} was not canceled: {why}")
        else:
            await _cancel(session, number, task, result)


async def _cancel(session: Session, number: RowNumber, task: TaskState, result: SurplusCanceled) -> None:
    """Cancel one task, and tell of it."""
    error = await cancel_task(session, Open(number, task.attempt, task.task_id))
    if error is not None:
        result.failed.append(f"extra task {task.task_id} of row {number} could not be canceled: {error}")
        return
    kept = session.state.row(number).kept
    result.done.append(
        f"extra task {task.task_id} of row {number} was canceled; {kept.task_id if kept else 'none'} is kept"
    )
