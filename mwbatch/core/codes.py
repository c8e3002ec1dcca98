"""What is known of a row on the straight path, in one byte, and what follows from it: its status, and what may be done."""

from collections.abc import Callable
from typing import Final

from mwbatch.core.fold import Status

PLANNED, STARTED, SHOWN, DONE, CANCELED, ANSWERED, WITHDRAWN, CONFIRMED = (1 << bit for bit in range(8))
"""What is known of a row, as bits of its code.

``DONE`` and ``CANCELED`` are the API's words for its task; ``CONFIRMED``: they are no callback's; ``WITHDRAWN``: the
user gave it up before it was sent.
"""

LISTED: Final = 1 << 8
"""What a showing says besides, and no code: a listing has shown the task at its row."""

LIFTED: Final = DONE
"""The code of a row that a `Row` has instead: no other has it, as nothing is said of a task that was not shown."""

CODES: Final = frozenset(
    code for code in range(1, 256) if code & SHOWN or not code & (DONE | CANCELED | ANSWERED | CONFIRMED)
)
"""The codes of the rows that the columns hold."""

IDLE: Final = frozenset((Status.PLANNED, Status.CANCELED, Status.REJECTED))
"""The statuses of rows of which nothing is open."""

AS_PLANNED: Final = bytes(code if code == LIFTED else code | PLANNED for code in range(256))
"""What becomes of a code when its row is planned."""

AS_STARTED: Final = bytes(code if code == LIFTED else code | STARTED for code in range(256))
"""What becomes of a code when its row is started."""


def status_of(code: int) -> Status:
    """The status of a row with this code: the law of `Row.status`, for the few rows that columns can say."""
    if code & ANSWERED:
        return Status.COMPLETED
    if code & CONFIRMED:
        return Status.CANCELED if code & CANCELED else Status.PENDING
    if code & (STARTED | SHOWN):
        return Status.DOUBT
    return Status.CANCELED if code & WITHDRAWN else Status.PLANNED


def marks_of(fits: Callable[[int], bool]) -> bytes:
    """A table of codes: 1 for those of rows in columns that fit."""
    return bytes(code in CODES and bool(fits(code)) for code in range(256))


def is_open(code: int) -> bool:
    """Whether a row with this code has a task that still may say more."""
    if not code & CONFIRMED:
        return bool(code & SHOWN)
    return not code & (ANSWERED | CANCELED)


def is_planned(code: int) -> bool:
    """Whether a row with this code was planned."""
    return bool(code & PLANNED)


def is_untouched(code: int) -> bool:
    """Whether a row with this code was planned, and nothing else is known of it."""
    return code == PLANNED


def is_started(code: int) -> bool:
    """Whether a start is known of a row with this code."""
    return bool(code & STARTED)


def is_shown(code: int) -> bool:
    """Whether a task was shown of a row with this code."""
    return bool(code & SHOWN)


def is_spent(code: int) -> bool:
    """Whether a row with this code has a task, or may have one."""
    return bool(code & (SHOWN | STARTED))


def is_confirmed(code: int) -> bool:
    """Whether the API itself has shown a task of a row with this code."""
    return code & (SHOWN | CONFIRMED) == SHOWN | CONFIRMED


def is_unstarted(code: int) -> bool:
    """Whether a row with this code has a task and no start that would have made it."""
    return code & (SHOWN | STARTED) == SHOWN


def is_unknown(code: int) -> bool:
    """Whether a row with this code has a task, and the batch does not have the row."""
    return code & (SHOWN | PLANNED) == SHOWN


def is_by_callback_only(code: int) -> bool:
    """Whether a row with this code has an answer, which nothing but a callback has brought."""
    return is_planned(code) and code & (ANSWERED | CONFIRMED) == ANSWERED
