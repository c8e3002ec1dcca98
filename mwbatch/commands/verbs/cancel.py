"""Giving rows up: nothing more is sent for them, and tasks at which nobody has worked yet are canceled."""

from collections.abc import Callable, Collection, Iterator
from typing import Final

from mwbatch.client import Client
from mwbatch.commands.asking.choosing import named
from mwbatch.commands.context.context import Context
from mwbatch.commands.context.run_all import run_all
from mwbatch.commands.context.session import Session
from mwbatch.commands.sending.creating import ASK_ABOVE
from mwbatch.commands.settling.beginning import catch_up
from mwbatch.commands.settling.canceling import cancel_task
from mwbatch.commands.settling.fetching import Found, Open, look
from mwbatch.core.codec.ids import RowNumber
from mwbatch.core.facts.kinds import Withdrawn
from mwbatch.core.report.command_outcomes import Canceled
from mwbatch.core.state.row_status import Row, Status
from mwbatch.core.words.plural import rows
from mwbatch.errors import BatchBusy, UsageError
from mwbatch.journal.files.closing import in_thread
from mwbatch.journal.interface.open_batch import OpenBatch
from mwbatch.journal.interface.store import Store

CANCELABLE: Final = (Status.PLANNED, Status.DOUBT, Status.PENDING)
"""The statuses that are not final: what has an answer, was refused or is canceled stays as it is."""

AT_ONCE: Final = 32
"""Cancels in flight."""


async def cancel(
    store: Store,
    client: Client,
    name: str,
    ids: Collection[str] = (),
    context: Context | None = None,
    confirm: Callable[[str], bool] = lambda _: True,
) -> Canceled:
    """Give up the rows of a batch that are not final, or those of them that ``ids`` name.

    Planned and doubtful rows are withdrawn, pending tasks canceled. Run it again after an interruption: it
    goes on.

    Raises:
        UsageError: an id is not in the batch, or the user said no; nothing was done.
        BatchBusy: another process acts on the batch.
        ApiError: the API refuses us or cannot be reached; what was withdrawn stays so.
    """
    context = context or Context()
    ref = await in_thread(store.find, name)
    ref.info.pinned(client.origin)
    async with store.act(ref, "cancel") as batch:
        chosen, final = await in_thread(_chosen, batch, ids)
        if len(chosen) > ASK_ABOVE and not confirm(f"cancel {rows(len(chosen))} of batch {ref.info.name}?"):
            raise UsageError("nothing was canceled, as you said")
        session = Session(batch, client, context)
        await catch_up(session)
        with context.in_flight():
            withdrawn = await _withdraw(batch, chosen, context)
            canceled, late = await _cancel(session, chosen)
        context.tally.begin("")
        doubtful = sum(batch.state.row(number).status is Status.DOUBT for number in chosen)
        return Canceled(
            await batch.reported(), withdrawn, canceled, doubtful, (*final, *late), context.stopping.is_set()
        )


def _chosen(batch: OpenBatch, ids: Collection[str]) -> tuple[list[RowNumber], list[str]]:
    """The numbers of the rows to give up, and a sentence for each named one that is final otherwise."""
    state = batch.state
    if not ids:
        return sorted(number for status in CANCELABLE for number in state.numbered(status)), []
    chosen, final = list[RowNumber](), list[str]()
    for planned in named(batch, ids):
        status = state.row(planned.row).status
        if status in CANCELABLE:
            chosen.append(planned.row)
        elif status is not Status.CANCELED:
            final.append(f"row {planned.id} is {status} already and stays so")
    return chosen, final


async def _withdraw(batch: OpenBatch, chosen: list[RowNumber], context: Context) -> int:
    """Forbid the next attempt of every row that might get one; durable before any task is canceled."""
    there = ((number, row) for number in chosen if _may_be_sent(row := batch.state.row(number)))
    return await batch.record_all(
        Withdrawn(context.now(), number, row.fresh_attempt) for number, row in there
    )


def _may_be_sent(row: Row) -> bool:
    return not row.withdrawn and (row.status in (Status.PLANNED, Status.DOUBT) or bool(row.doubtful))


async def _cancel(session: Session, chosen: list[RowNumber]) -> tuple[int, list[str]]:
    """Cancel the open tasks of these rows; how many, and a sentence for each that could not be."""
    remaining, late = _open(session.batch, chosen), list[str]()
    tally, canceled = session.tally, 0
    tally.begin("canceling tasks", len(chosen))

    lost: BatchBusy | None = None

    async def work() -> None:
        nonlocal canceled, lost
        for task in remaining:
            if session.is_stopping or lost:
                return
            try:
                why = await _give_up(session, task)
            except BatchBusy as taken:  # what is in flight is finished
                lost = taken
                return
            known = session.state.row(task.row).tasks[task.task_id]
            canceled += known.canceled
            tally.done += 1
            if not known.confirmed:
                tally.note(why)
            elif not known.canceled:
                late.append(
                    f"task {task.task_id} of row {task.row} is {known.status} and could not be canceled: "
                    f"{why}"
                )

    await run_all([work() for _ in range(AT_ONCE)])
    if lost:
        raise lost
    return canceled, late


def _open(batch: OpenBatch, chosen: list[RowNumber]) -> Iterator[Open]:
    for number in chosen:
        for task in list(batch.state.row(number).tasks.values()):
            if not (task.answered or task.canceled or task.strange):
                yield Open(number, task.attempt, task.task_id)


async def _give_up(session: Session, task: Open) -> str:
    """Look at a task and cancel it, if it is shown at its row's address; else why it is not canceled."""
    found, why, _ = await look(session, task)
    if found is not Found.SHOWN or session.state.row(task.row).tasks[task.task_id].canceled:
        return why or found.value
    return str(await cancel_task(session, task) or "")
