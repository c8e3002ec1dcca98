"""The law of the state machine: from facts to the state of a batch.

The fold is a join: facts may come in any order and any number of times, and the state is the same. It reads no clock
and no random source. A row has exactly one status, the first of these that holds:

============  ======================================================================================
completed     some task has an answer on disk
pending       some task is not canceled, as far as the API has shown
doubt         some attempt started of which nothing was seen and nothing is known to have failed
canceled      the next attempt is withdrawn, or the last task is canceled, and no later one is opened
rejected      the last attempt failed finally, and no later one is opened
planned       none of these: it may be sent
============  ======================================================================================
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from mwbatch.core.facts import Failed, Planned, Retried, Seen, Withdrawn


class Status(StrEnum):
    """The six statuses of a row, in the order in which a batch moves through them."""

    PLANNED = "planned"
    DOUBT = "doubt"
    PENDING = "pending"
    COMPLETED = "completed"
    CANCELED = "canceled"
    REJECTED = "rejected"


MOST_AUTOMATIC: Final = 3
"""New attempts that a row gets of its own accord after doubt; beyond it the user is asked (`mwbatch retry`)."""

ABSENT: Final = "absent"
"""The verdict of an attempt that was not found by sweeps."""

Answered = tuple[str, str, str]
"""An answer's place in the order that chooses the one shown: (completed_at, task_id, sha256)."""


def answered(seen: Seen) -> Answered:
    """Where an answer stands in that order."""
    return (seen.completed_at or "", seen.task_id, seen.sha256 or "")


@dataclass(slots=True)
class TaskState:
    """What the API has shown of one task: a join, so the order of the showings does not matter."""

    task_id: str
    attempt: int
    shown: str = "pending"
    created_at: str = ""
    answers: dict[str, Answered] = field(default_factory=dict)

    def join(self, seen: Seen) -> None:
        """Take one showing in."""
        self.shown = max(self.shown, seen.status, key=_rank)
        self.attempt = min(self.attempt, seen.attempt)
        if seen.created_at:
            self.created_at = min(self.created_at or seen.created_at, seen.created_at)
        if seen.answer is not None:
            place = answered(seen)
            self.answers[seen.answer] = min(self.answers.get(seen.answer, place), place)

    @property
    def status(self) -> str:
        """What the API says of the task: an answer beats canceled beats the rest."""
        return "completed" if self.answers else self.shown

    @property
    def answered(self) -> bool:
        """Whether an answer of this task is on disk."""
        return bool(self.answers)

    @property
    def least(self) -> Answered:
        """The place of the answer that is shown; three empty texts while there is none."""
        return min(self.answers.values(), default=("", "", ""))

    @property
    def conflict(self) -> bool:
        """Whether two answers of this one task say different things."""
        return len(self.answers) > 1

    @property
    def canceled(self) -> bool:
        """Whether nobody works on this task any more and no answer came of it."""
        return self.status == "canceled"


def _rank(status: str) -> tuple[int, str]:
    """Order what the API may say of one task, so that two showings always join to the same one."""
    return ({"pending": 0, "completed": 2, "canceled": 3}.get(status, 1), status)


@dataclass(slots=True)
class Row:
    """All that is known about one row.

    Sets of attempts are bit sets: attempt ``n`` is bit ``n``. ``seen`` are those of which a task was seen, ``absent``
    those that failed because sweeps did not find them. ``opened`` and ``forbidden`` are the greatest attempts that
    ``retried`` and ``withdrawn`` name, 0 for none.
    """

    planned: bool = False
    started: int = 0
    seen: int = 0
    failed: int = 0
    final: int = 0
    absent: int = 0
    opened: int = 0
    forbidden: int = 0
    tasks: dict[str, TaskState] = field(default_factory=dict)

    def join(self, fact: Planned | Seen | Failed | Retried | Withdrawn) -> None:
        """Take one fact about this row in."""
        match fact:
            case Planned():
                self.planned = True
            case Seen(task_id=task_id, attempt=attempt):
                self.seen |= 1 << attempt
                self.tasks.setdefault(task_id, TaskState(task_id, attempt)).join(fact)
            case Failed(attempt=attempt):
                self.failed |= 1 << attempt
                self.final |= fact.final << attempt
                self.absent |= (fact.verdict == ABSENT) << attempt
            case Retried(attempt=attempt):
                self.opened = max(self.opened, attempt)
            case Withdrawn(attempt=attempt):  # pragma: no branch
                self.forbidden = max(self.forbidden, attempt)

    @property
    def doubtful(self) -> list[int]:
        """The attempts that started and of which nothing is known, ascending."""
        bits = self.started & ~self.failed & ~self.seen
        return [attempt for attempt in range(bits.bit_length()) if bits >> attempt & 1]

    @property
    def last(self) -> int:
        """The greatest attempt that was ever made; 0 when none was."""
        return max(0, (self.started | self.failed | self.seen).bit_length() - 1)

    @property
    def next_attempt(self) -> int:
        """The attempt that a create request of this row would be."""
        return max(self.last + 1, self.opened)

    @property
    def fresh_attempt(self) -> int:
        """The attempt that a new ``retried`` or ``withdrawn`` must name, so that it counts as the later one."""
        return max(self.last, self.opened, self.forbidden) + 1

    @property
    def sendable(self) -> bool:
        """Whether a create request may leave: the row is planned, or the user opened an attempt in spite of doubt."""
        status = self.status
        if self.opened > max(self.last, self.forbidden):
            return status in (Status.PLANNED, Status.DOUBT)
        return status is Status.PLANNED and not self.exhausted

    @property
    def exhausted(self) -> bool:
        """Whether every new attempt that may be made without asking the user was made in vain."""
        return not self.tasks and (self.absent >> self.opened).bit_count() > MOST_AUTOMATIC

    @property
    def withdrawn(self) -> bool:
        """Whether the user gave the row up, and has opened no later attempt."""
        return self.forbidden > self.last and self.forbidden >= self.opened

    @property
    def belied(self) -> bool:
        """Whether a task was seen of an attempt that sweeps had not found: they were believed too soon."""
        return bool(self.absent & self.seen)

    @property
    def status(self) -> Status:
        """The one status of this row; the first that holds."""
        if any(task.answered for task in self.tasks.values()):
            return Status.COMPLETED
        if not all(task.canceled for task in self.tasks.values()):
            return Status.PENDING
        if self.started & ~self.failed & ~self.seen:
            return Status.DOUBT
        return self._settled()

    def _settled(self) -> Status:
        """The status of a row of which no task is open and no attempt is in doubt."""
        last = self.last
        if self.withdrawn:
            return Status.CANCELED
        if self.tasks and self.opened < self.seen.bit_length():
            return Status.CANCELED
        if self.final >> last & 1 and self.opened <= last:
            return Status.REJECTED
        return Status.PLANNED

    @property
    def kept(self) -> TaskState | None:
        """The one task that counts: the one answered, else the earliest that is not canceled, else the earliest."""
        return min(self.tasks.values(), key=_preference, default=None)

    @property
    def surplus(self) -> list[TaskState]:
        """Tasks beyond the one kept that cost money or still will: all but those that are canceled."""
        kept = self.kept
        return [task for task in self.tasks.values() if task is not kept and not task.canceled]


def _preference(task: TaskState) -> tuple[bool, Answered, bool, str, str]:
    """Sort the answered first, by the least answer, so that a late one never changes exported results."""
    return (not task.answered, task.least, task.canceled, task.created_at, task.task_id)
