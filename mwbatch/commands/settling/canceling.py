"""Canceling one task: once, and where the API says no, by a look at what the task is now."""

from mwbatch.commands.context.session import Session
from mwbatch.commands.settling.fetching import Open, look
from mwbatch.core.api.task import seen
from mwbatch.core.api.tie import is_at
from mwbatch.core.facts.kinds import Via
from mwbatch.errors import ApiError, Unsure


async def cancel_task(session: Session, task: Open) -> ApiError | None:
    """Cancel a task and record what it is then; the API's error where it is something else than canceled.

    A completed task is answered 500, and a cancel whose answer is lost, or about another task, may have
    worked: it is never asked for again. MUST be called under the batch's lock, and only for a task that a
    look has just shown where it belongs: an id that a callback brought may be that of anybody's task. Raises
    `Halted` where the API refuses us, `BatchBusy` where the lock was lost.
    """
    batch = session.batch
    batch.hold()
    try:
        shown = await session.client.cancel(task.task_id)
        if not is_at(shown, batch.info.batch_id, task.row, task.attempt):
            raise Unsure("the answer to its cancel names another address")
    except ApiError as error:
        await look(session, task)
        known = batch.state.task(task.row, task.task_id)
        return None if known is not None and known.canceled else error
    await session.record([seen(shown, task.row, task.attempt, Via.CANCEL, session.now())])
    return None
