"""Fetching answers whose callback never came: one GET a task, many at a time."""

from collections import Counter
from collections.abc import Callable
from enum import Enum
from typing import Final, NamedTuple

from mwbatch.commands.context.run_all import run_all
from mwbatch.commands.context.session import Session
from mwbatch.core.api.task import seen
from mwbatch.core.api.tie import is_at
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.facts.kinds import Via
from mwbatch.core.report.agreement import Agreement, Differing, is_unanswered
from mwbatch.core.state.batch import Batch
from mwbatch.core.state.row_status import Status
from mwbatch.core.state.task_state import TaskState, news
from mwbatch.errors import ApiError, Halted, NotFound

PATIENCE: Final = 900.0
"""Seconds in which the API must have known none of the open tasks: one that is new may not be known
everywhere."""

FORGOTTEN: Final = "the API knows none of the pending tasks any more: waiting changes nothing"
"""Why waiting ended although rows are pending."""


class Open(NamedTuple):
    """A task of which more may be learned."""

    row: RowNumber
    attempt: Attempt
    task_id: str


class Found(Enum):
    """What a look at one task came to."""

    ANSWERED = "its answer came"
    SHOWN = "it is shown where it belongs, without an answer"
    GONE = "the API knows no task of this id"
    STRANGE = "the API shows it at another address"
    UNREAD = "it could not be looked at"


class Look(NamedTuple):
    """What a look at one task came to; ``why`` is a sentence where the task stays as it was.

    ``open``: the API says that there is no answer of it, or does not say what it is.
    """

    found: Found
    why: str = ""
    open: bool = True


class Gone:
    """The tasks that the API did not know when asked last, and since when it knew none of the open ones."""

    def __init__(self, ticks: Callable[[], float]) -> None:
        self.tasks: set[str] = set()
        self._ticks, self._since = ticks, ticks()

    def is_all(self, state: Batch) -> bool:
        """Whether the API has known no open task for so long that waiting for answers makes no sense."""
        now = self._ticks()
        if not all(task.task_id in self.tasks for _, task in state.open()):
            self._since = now
        return now - self._since > PATIENCE


async def fetch(
    session: Session,
    *,
    but: Callable[[TaskState], bool] = lambda _: False,
    gone: Gone | None = None,
    at_once: int = 32,
) -> int:
    """Look at every open task and record what is shown; returns how many answers came.

    Confirmed ones for which ``but`` says so are left out; ``gone`` learns which the API does not know. A task
    that cannot be looked at stays as it is; people are told how many there are of each kind, and of one.
    Raises `Halted` where the API refuses us.
    """
    remaining = (
        Open(row, task.attempt, task.task_id)
        for row, task in session.state.open()
        if not (task.confirmed and but(task))
    )
    if gone is not None:
        gone.tasks.clear()
    tally, counts, examples = session.tally, Counter[Found](), dict[Found, str]()
    tally.begin("fetching answers", session.state.by_status()[Status.PENDING])

    async def work() -> None:
        for task in remaining:
            if session.is_stopping:
                return
            found, why, _ = await look(session, task)
            counts[found] += 1
            examples.setdefault(found, why)
            if found is Found.GONE and gone is not None:
                gone.tasks.add(task.task_id)
            tally.done += 1

    await run_all([work() for _ in range(at_once)])
    for found, why in examples.items():
        if why:
            more = counts[found] - 1
            tally.note(f"{why}; so it is with {more:,} more" if more else why)
    return counts[Found.ANSWERED]


async def look(session: Session, task: Open) -> Look:
    """Look at one task and record what is shown, if that is the task at the address where we have it."""
    known = session.state.task(task.row, task.task_id)
    what = f"task {task.task_id} of row {task.row}"
    if known is None or not known.confirmed:
        what += ", which only callbacks name,"
    try:
        shown, body = await session.client.retrieve_raw(task.task_id)
    except Halted:
        raise
    except NotFound:
        return Look(Found.GONE, f"the API does not know {what} and it stays as it is")
    except ApiError as error:
        return Look(Found.UNREAD, f"{what} could not be looked at and stays as it is: {error}")
    if not is_at(shown, session.batch.info.batch_id, task.row, task.attempt):
        return Look(
            Found.STRANGE, f"{what} is shown by the API at another address: it is not believed to be that"
        )
    fact = seen(shown, task.row, task.attempt, Via.GET, session.now(), body)
    known = session.state.task(task.row, task.task_id)
    bare = fact.answer is None and fact.status in ("", "pending")
    if not (bare and known is not None and known.confirmed):
        await session.record(news(known, fact))
    return Look(Found.SHOWN if fact.answer is None else Found.ANSWERED, open=is_unanswered(shown))


async def unanswered(session: Session, agreement: Agreement, *, at_once: int = 32) -> tuple[Differing, ...]:
    """The tasks that were listed without the answer that is stored, and are shown so once more.

    A listing may lag; what the API says of a task that is asked for now it says after the answer came. An
    answer that it has after all is recorded. Raises `Halted` where the API refuses us.
    """
    standing, remaining = dict(agreement.unanswered), iter(agreement.unanswered)

    async def work() -> None:
        for one in remaining:
            if session.is_stopping:
                return
            known = session.state.task(*one)
            seeing = known and await look(session, Open(one.row, known.attempt, one.task_id))
            if seeing and not seeing.open:
                del standing[one]

    await run_all([work() for _ in range(at_once)])
    return tuple(sorted(standing))
