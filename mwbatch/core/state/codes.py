"""What is known of a row in columns, in one byte; what it means is asked of a `Row` that knows the same."""

from collections.abc import Callable
from functools import cache, cached_property
from typing import Final

from mwbatch.core.codec.ids import FIRST
from mwbatch.core.state.row_status import Row
from mwbatch.core.state.task_state import TaskState

PLANNED, STARTED, SHOWN, DONE, CANCELED, ANSWERED, WITHDRAWN, CONFIRMED = (1 << bit for bit in range(8))
"""What is known of a row, as bits of its code.

``DONE`` and ``CANCELED`` are the API's words for its task; ``CONFIRMED``: they are no callback's;
``WITHDRAWN``: the user gave it up before it was sent.
"""

LISTED: Final = 1 << 8
"""What a showing says besides, and no code: a listing has shown the task at its row."""

DETACHED: Final = DONE
"""The code of a row that is an object: no other has it, as nothing is said of a task that was not shown."""

CODES: Final = frozenset(
    code for code in range(1, 256) if code & SHOWN or not code & (DONE | CANCELED | ANSWERED | CONFIRMED)
)
"""The codes of the rows that the columns hold; 0 is that of a number that no fact has named."""

AS_PLANNED: Final = bytes(code if code == DETACHED else code | PLANNED for code in range(256))
"""What becomes of a code when its row is planned."""

AS_STARTED: Final = bytes(code if code == DETACHED else code | STARTED for code in range(256))
"""What becomes of a code when its row is started."""


def row_of(code: int, task: TaskState | None) -> Row:
    """The row with a code, as the fold would have it; ``task`` is what was shown of it."""
    first = 1 << 1
    row = Row(
        planned=bool(code & PLANNED),
        started=first if code & STARTED else 0,
        forbidden=1 if code & WITHDRAWN else 0,
    )
    if task is not None:
        row.seen = first
        row.confirmed = first if code & CONFIRMED else 0
        row.tasks[task.task_id] = task
    return row


def task_of(code: int, task_id: str) -> TaskState:
    """The one task that was shown of a row with a code, without its time and its answer."""
    said = "canceled" if code & CANCELED else "completed" if code & DONE else "pending"
    return TaskState(task_id, FIRST, said, by_api=bool(code & CONFIRMED))


class Question:
    """Something that is asked of every row, and answered by yes or no, or by a small number.

    A row that is an object says it itself. Of those in columns it stands in a table of codes, which is made
    of what rows that know the same say, when it is first looked into (0.2 ms): so the law of a status, and of
    all that follows from one, stands once, in `fold`. A million rows are answered by one ``translate`` and
    ``count`` in 1 ms; as objects it would take them 2 s.
    """

    def __init__(self, ask: Callable[[Row], int]) -> None:
        self._ask = ask

    def __call__(self, row: Row) -> int:
        """What a row says itself."""
        return int(self._ask(row))

    @cached_property
    def table(self) -> bytes:
        """The answer of a row with each code; 0 for what is no code of a row."""
        return bytes(0 if row is None else self(row) for row in _every_row())


@cache
def _every_row() -> tuple[Row | None, ...]:
    """A row with each code; None where no row has it."""
    return tuple(_example(code) if code in CODES or not code else None for code in range(256))


def _example(code: int) -> Row:
    task = task_of(code, "task") if code & SHOWN else None
    if task is not None and code & ANSWERED:
        task.answers["answer"] = ("", task.task_id, "")
    return row_of(code, task)
