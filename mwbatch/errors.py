"""The errors of mwbatch and the exit code that each one means.

::

    MwbatchError                      70  our bug, when nothing below fits
    ├── UsageError                     2  a flag, a variable or a file that the user can mend
    │   ├── BadValue                   2  a setting that cannot be; the message says what would do
    │   ├── ManifestError              2  the manifest has mistakes: all of them, one line each
    │   ├── NameTaken                  2  a batch of this name is in the home already
    │   ├── AskedBefore                2  other batches asked for the same; carries the numbers, for scripts
    │   └── OtherApi                   2  the batch belongs to another API origin or another key
    ├── ApiError                       4  the API said no, or did not answer; carries status and message
    │   ├── Unsent                     4  no request left this machine: safe to send again
    │   ├── Busy                       4  429: slow down, then send again
    │   ├── Refused                    1  400 and its kin: this row will not do
    │   ├── Halted                     4  401, a redirect …: it concerns the account or the base URL
    │   ├── NotFound                   1  404 for a task that was asked for by its id
    │   └── Unsure                     3  a task may or may not exist: never send again unproved
    │       └── OtherTask              3  the API answered about another task than it was asked for
    ├── BatchBusy                      5  another process acts on the batch
    ├── StoreError                     6  this machine: the disk, or damage to what is on it
    │   ├── DiskFull                   6  no space: nothing was written, it may be tried again
    │   ├── Displaced                  6  its file was removed, moved or cut: another writer may go on
    │   └── Poisoned                   6  a write or sync failed for good: this writer never writes again
    └── Shortfall                     70  what `check` raises: a command came to less than it was for
        ├── Findings                   1  all was done; rows were rejected, or answers need a look
        ├── Invalid                    2  the manifest cannot be submitted as it is
        ├── Unfinished                 3  rows are not sent, not answered, or not proved yet
        ├── Interrupted                4  the API ended the run before its rows did
        └── Damaged                    6  lines on this machine's disk were lost

An error can be pickled. It names its operands and the next step; none ever carries the API key or a callback
address.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from typing import Final, NotRequired, TypedDict


class Exit(IntEnum):
    """What a command's exit code means; where several hold, the greatest wins."""

    DONE = 0
    ROWS = 1
    USAGE = 2
    UNFINISHED = 3
    API = 4
    IN_USE = 5
    MACHINE = 6
    BUG = 70
    INTERRUPTED = 130
    TERMINATED = 143


class MwbatchError(Exception):
    """The root: whatever mwbatch raises on purpose is one of these."""

    exit_code = Exit.BUG
    fields: Mapping[str, object] = {}
    """What stands beside the words in the object for scripts."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...], dict[str, object]]:
        """Pickle it as it is, whatever its class takes to be made."""
        return _again, (type(self), self.args), self.__dict__


def _again(kind: type[MwbatchError], words: tuple[object, ...]) -> MwbatchError:
    """An error as it was, without its fields."""
    error = kind.__new__(kind)
    error.args = words
    return error


class UsageError(MwbatchError):
    """Something that the user asked for cannot be, and the message says what would do."""

    exit_code = Exit.USAGE


_HUGE: Final = 10**30


class BadValue(UsageError):
    """A setting that cannot be: ``field`` is its name in the library,
    ``option`` the one on the command line.
    """

    def __init__(self, field: str, value: object, wanted: str, option: str | None = None) -> None:
        self.field, self.option = field, option or "--" + field.replace("_", "-")
        # A number with thousands of digits cannot even be written.
        huge = isinstance(value, int) and abs(value) > _HUGE
        self._said = f"is {'a number of more than 30 digits' if huge else f'{value!r:.60}'}: {wanted}"
        super().__init__(f"{field} {self._said}")

    def on_command_line(self) -> str:
        """The message for those who know the setting as an option."""
        return f"{self.option} {self._said}"


class ManifestError(UsageError):
    """The manifest has mistakes; ``problems`` holds every one as ``file:line: column: what is wrong``."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class NameTaken(UsageError):
    """A batch of this name is there, perhaps since this moment: look again before another one is made."""


NOTHING_SENT: Final = "; nothing was sent"
"""What `AskedBefore` says of a command that would have sent."""


class AskedElsewhere(TypedDict):
    """What one other batch asked for of the same, for scripts; null where nobody knows it by name or id."""

    batch: str | None
    batch_id: str | None
    rows: int
    by_status: dict[str, int]
    example: NotRequired[str]


class Asked(TypedDict):
    """What of the rows that would be sent was asked for before, for scripts; ``ways`` are commands."""

    rows: int
    of: int
    batches: list[AskedElsewhere]
    ways: list[str]


class AskedBefore(UsageError):
    """Rows ask for what other batches asked for: nothing was sent.

    ``asked`` has the numbers and the ways on.
    """

    def __init__(self, message: str, asked: Asked) -> None:
        self.asked, self.fields = asked, {"asked_before": asked}
        super().__init__(message)


class OtherApi(UsageError):
    """The batch was begun with another API origin or key; sending to this one could pay twice."""


class ApiError(MwbatchError):
    """The API refused, failed or could not be reached.

    ``status`` is the HTTP status of a received, well-formed answer, else None; ``message`` is the API's own
    words; ``retry_after`` is in seconds, where the API named one.
    """

    exit_code = Exit.API

    def __init__(self, message: str, *, status: int | None = None, retry_after: float | None = None) -> None:
        self.status, self.message, self.retry_after = status, message, retry_after
        super().__init__(message if status is None else f"HTTP {status}: {message}")


class Unsent(ApiError):
    """The connection was never made, so no request left: sending again is safe."""


class Busy(ApiError):
    """429: the API asks to slow down; by the vendor's convention nothing was done."""


class Refused(ApiError):
    """The API will not take this request as it is (400, 422 …): mend the row."""

    exit_code = Exit.ROWS


class Halted(ApiError):
    """The API will not take any request of this account or at this URL (401, 403, a redirect …)."""


class NotFound(ApiError):
    """The API knows no task with this id (404)."""

    exit_code = Exit.ROWS


class Unsure(ApiError):
    """Nobody can tell whether the request took effect: a task may exist. Never send it again unproved."""

    exit_code = Exit.UNFINISHED


class OtherTask(Unsure):
    """The answer to a GET or a cancel is about another task:
    it says nothing of the one that was asked for.
    """


class BatchBusy(MwbatchError):
    """Another process acts on this batch; the message names its host and pid."""

    exit_code = Exit.IN_USE


class StoreError(MwbatchError):
    """This machine failed: a file is damaged, cannot be read, or cannot be written."""

    exit_code = Exit.MACHINE


class DiskFull(StoreError):
    """There was no space; what was being written is not there, and may be tried again later.

    What to do besides making some depends on who is told: a receiver goes on by itself, a command has ended.
    """


class Poisoned(StoreError):
    """A write or a sync failed in a way after which nothing may be appended to that file again."""


class Displaced(StoreError):
    """Somebody removed, moved or cut the file that was being written:
    readers do not find there what it should hold.
    """


class Shortfall(MwbatchError):
    """A command came to less than it was for, as its exit code says; nothing of what it did is undone."""


class Findings(Shortfall):
    """All was done that could be; rows were rejected or put aside, or answers need a look."""

    exit_code = Exit.ROWS


class Invalid(Shortfall):
    """The manifest cannot be submitted as it is."""

    exit_code = Exit.USAGE


class Unfinished(Shortfall):
    """Rows are not sent, not answered or not proved yet: the same call again goes on."""

    exit_code = Exit.UNFINISHED


class Interrupted(Shortfall):
    """The API ended the run before its rows did: it refuses the account, or cannot be reached."""

    exit_code = Exit.API


class Damaged(Shortfall):
    """Lines that were acknowledged once cannot be read now."""

    exit_code = Exit.MACHINE


SHORTFALLS: Final[Mapping[Exit, type[Shortfall]]] = {
    kind.exit_code: kind for kind in (Findings, Invalid, Unfinished, Interrupted, Damaged)
}
"""What each exit code of a result raises."""
