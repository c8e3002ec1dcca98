"""What is asked of all rows of a batch, each question once: `Batch` counts and lists them by the answers."""

from typing import Final

from mwbatch.core.state.codes import Question
from mwbatch.core.state.row_status import Status

STATUSES: Final = tuple(Status)

PLANNED: Final = Question(lambda row: row.planned)
"""Does the batch have it?"""

STATUS: Final = Question(lambda row: row.planned and 1 + STATUSES.index(row.status))
"""Which status has it, by its place in `STATUSES` from 1 on? 0 for a row that the batch does not have."""

FREE: Final = Question(lambda row: row.sendable)
"""May a create request leave, be it planned or not?"""

SENDABLE: Final = Question(lambda row: row.planned and row.sendable)
"""May it be sent?"""

IDLE: Final = Question(lambda row: row.status in (Status.PLANNED, Status.CANCELED, Status.REJECTED))
"""Is nothing of it open: no answer came of it, no task is pending, no attempt is in doubt?"""

DOUBTFUL: Final = Question(lambda row: row.planned and bool(row.doubtful))
"""Is an attempt of it in doubt?"""

UNSETTLED: Final = Question(
    lambda row: row.planned and (bool(row.doubtful) or (row.started > 0 and row.sendable))
)
"""Was it started, and is in doubt or may be sent again?"""

STARTED: Final = Question(lambda row: row.started > 0)
"""Is a start of it known?"""

UNSTARTED: Final = Question(lambda row: (row.seen | row.failed) & ~row.started > 0)
"""Is the outcome of an attempt known whose start is not?"""

SHOWN: Final = Question(lambda row: bool(row.tasks))
"""Was a task of it shown?"""

UNKNOWN: Final = Question(lambda row: bool(row.tasks) and not row.planned)
"""Was a task of it shown, although the batch does not have it?"""

OPEN: Final = Question(lambda row: bool(row.open))
"""Has it a task that still may say more?"""

SPENT: Final = Question(lambda row: row.spent)
"""How many tasks has it, or may it have?"""

CONFIRMED: Final = Question(lambda row: len(row.paid))
"""How many tasks of it, and of no other row for all that is known, has the API itself shown?"""

BY_CALLBACK_ONLY: Final = Question(lambda row: row.planned and row.by_callback_only)
"""Has it an answer, and none that the API itself vouches for?"""
