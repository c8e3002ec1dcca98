"""The law of the state machine: from facts to the state of a batch.

The fold is a join: facts may come in any order and any number of times, and the state is the same. It reads
no clock and no random source. A row has exactly one status, the first of these that holds:

============  ======================================================================================
completed     some task has an answer on disk
pending       some confirmed task is not canceled, as far as the API has shown
doubt         some attempt started, or was called back about, and nothing is known of how it ended
canceled      the next attempt is withdrawn, or the last task is canceled, and no later one is opened
rejected      the last attempt failed finally, and no later one is opened
planned       none of these: it may be sent
============  ======================================================================================

A task is *confirmed* once the API itself has shown it, in the answer to a create, a GET, a listing or a
cancel: whoever learns an address can call it, and invent tasks there. What the API shows of a task replaces
what callbacks said of it, but for answers, which are kept whoever brought them. A task that is not confirmed
counts for one thing alone: an answer completes its row, though any answer of a confirmed task is shown before
it; without an answer it leaves its attempt in doubt. So it is never surplus, never canceled, and no row waits
for it.

A task that shows at several rows is the answer to one of them at most: to the only one at whose address the
listing shows it, or, where no listing does, to the only one at which it is confirmed. At the others, and at
all of them where it is so at none or at several, its answers complete nothing. A create that was answered
with it at another row told nothing of that row.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from mwbatch.core.codec.ids import Attempt
from mwbatch.core.facts.kinds import CONFIRMING, Failed, Planned, Retried, Seen, Verdict, Withdrawn
from mwbatch.core.state.task_state import Answered, TaskState


class Status(StrEnum):
    """The six statuses of a row, in the order in which a batch moves through them."""

    PLANNED = "planned"
    DOUBT = "doubt"
    PENDING = "pending"
    COMPLETED = "completed"
    CANCELED = "canceled"
    REJECTED = "rejected"


MOST_AUTOMATIC: Final = 3
"""New attempts that a row gets after doubt by itself; beyond it the user is asked (`mwbatch retry`)."""

NOT_FOUND: Final = frozenset({Verdict.ABSENT, Verdict.DENIED})
"""The verdicts of an attempt that sweeps did not find."""


@dataclass(slots=True)
class Row:
    """All that is known about one row.

    Sets of attempts are bit sets: attempt ``n`` is bit ``n``. ``seen`` are those of which a task was seen in
    any way, ``confirmed`` those of which the API itself showed one, ``absent`` those that failed because
    sweeps did not find them, ``denied`` those of them about which callbacks told of tasks that the API does
    not know. ``opened`` and ``forbidden`` are the greatest attempts that ``retried`` and ``withdrawn`` name,
    0 for none.
    """

    planned: bool = False
    started: int = 0
    seen: int = 0
    confirmed: int = 0
    failed: int = 0
    final: int = 0
    absent: int = 0
    denied: int = 0
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
                self.confirmed |= (fact.via in CONFIRMING) << attempt
                self.tasks.setdefault(task_id, TaskState(task_id, attempt)).join(fact)
            case Failed(attempt=attempt):
                self.failed |= 1 << attempt
                self.final |= fact.final << attempt
                self.absent |= (fact.verdict in NOT_FOUND) << attempt
                self.denied |= (fact.verdict is Verdict.DENIED) << attempt
            case Retried(attempt=attempt):
                self.opened = max(self.opened, attempt)
            case Withdrawn(attempt=attempt):  # pragma: no branch
                self.forbidden = max(self.forbidden, attempt)

    @property
    def doubtful(self) -> list[Attempt]:
        """The attempts that were made and of which nothing is known, ascending."""
        return _attempts((self.started | self.seen) & ~self.failed & ~self._counted)

    @property
    def _counted(self) -> int:
        """The attempts of which a task was seen that counts."""
        bits = self._told
        for task in self.tasks.values():
            bits |= task.answered << task.attempt
        return bits

    @property
    def misled(self) -> bool:
        """Whether the API itself named a task here that is another row's."""
        return any(task.by_api and task.strange for task in self.tasks.values())

    @property
    def _told(self) -> int:
        """The attempts of which the API itself showed a task that is no other row's."""
        strange = own = 0
        for task in self.tasks.values():
            strange |= (task.by_api and task.strange) << task.attempt
            own |= task.confirmed << task.attempt
        return self.confirmed & ~strange | own

    @property
    def contested(self) -> list[Attempt]:
        """The attempts that failed, though not finally, and were called back about, ascending."""
        return _attempts(self.seen & self.failed & ~self.final & ~self.denied & ~self._counted)

    @property
    def spent(self) -> int:
        """How many tasks it has or may have: confirmed ones,
        and one for each attempt that may have made one.
        """
        maybe = (self.started & ~self.failed | self.seen) & ~self._told
        return sum(task.confirmed for task in self.tasks.values()) + maybe.bit_count()

    @property
    def last(self) -> int:
        """The greatest attempt that was ever made; 0 when none was."""
        return max(0, (self.started | self.failed | self.seen).bit_length() - 1)

    @property
    def next_attempt(self) -> Attempt:
        """The attempt that a create request of this row would be."""
        return Attempt(max(self.last + 1, self.opened))

    @property
    def fresh_attempt(self) -> Attempt:
        """The attempt that a new ``retried`` or ``withdrawn`` must name, so as to count as the later one."""
        return Attempt(max(self.last, self.opened, self.forbidden) + 1)

    @property
    def sendable(self) -> bool:
        """Whether a create request may leave: it is planned, or an attempt was opened in spite of doubt."""
        status = self.status
        if self.opened > max(self.last, self.forbidden):
            return status in (Status.PLANNED, Status.DOUBT)
        return status is Status.PLANNED and not self.exhausted

    @property
    def exhausted(self) -> bool:
        """Whether every new attempt that may be made without asking the user was made in vain."""
        return (self.absent >> self.opened).bit_count() > MOST_AUTOMATIC

    @property
    def withdrawn(self) -> bool:
        """Whether the user gave the row up, and has opened no later attempt."""
        return self.forbidden > self.last and self.forbidden >= self.opened

    @property
    def refuted(self) -> bool:
        """Whether a task was seen of an attempt that sweeps had not found: they were believed too soon."""
        return bool(self.absent & self._told)

    @property
    def status(self) -> Status:
        """The one status of this row; the first that holds."""
        if any(task.answered for task in self.tasks.values()):
            return Status.COMPLETED
        if any(task.confirmed and not task.canceled for task in self.tasks.values()):
            return Status.PENDING
        if self.doubtful:
            return Status.DOUBT
        return self._settled()

    def _settled(self) -> Status:
        """The status of a row of which no task is open and no attempt is in doubt."""
        last = self.last
        if self.withdrawn:
            return Status.CANCELED
        if self.opened < self._told.bit_length():
            return Status.CANCELED
        if self.final >> last & 1 and self.opened <= last:
            return Status.REJECTED
        if any(attempt >= self.opened for attempt in self.contested):
            return Status.DOUBT
        return Status.PLANNED

    @property
    def open(self) -> list[TaskState]:
        """The tasks that may say more: those that are not canceled, while no confirmed one has an answer."""
        if any(task.answered and task.confirmed for task in self.tasks.values()):
            return []
        return [task for task in self.tasks.values() if not task.canceled]

    @property
    def kept(self) -> TaskState | None:
        """The task that is shown: the confirmed one answered, else the one answered, else the earliest.

        Of those without an answer the confirmed are preferred, and those that are not canceled.
        """
        return min(self.tasks.values(), key=_preference, default=None)

    @property
    def paid(self) -> list[TaskState]:
        """The confirmed tasks, the one of them that is kept first."""
        there = (task for task in self.tasks.values() if task.confirmed and not task.void)
        return sorted(there, key=_preference)

    @property
    def surplus(self) -> list[TaskState]:
        """Confirmed tasks beyond the one kept that cost money or still will: none that is canceled."""
        return [task for task in self.paid[1:] if not task.canceled]

    @property
    def conflicts(self) -> list[TaskState]:
        """Tasks in conflict; of the unconfirmed only the one shown, or what may be this row's only one."""
        kept, alone = self.kept, not self.paid
        return [
            task
            for task in self.tasks.values()
            if task.conflict and (task.confirmed or task is kept or (alone and task.void))
        ]

    @property
    def by_callback_only(self) -> bool:
        """Whether there is an answer, and none of a confirmed task."""
        kept = self.kept
        return kept is not None and kept.answered and not kept.confirmed


def _attempts(bits: int) -> list[Attempt]:
    return [Attempt(attempt) for attempt in range(bits.bit_length()) if bits >> attempt & 1]


def _preference(task: TaskState) -> tuple[bool, bool, Answered, bool, bool, str, str]:
    """Sort the answered first, the confirmed among them before, by the least answer.

    So that neither a late one nor one that nobody vouches for changes exported results.
    """
    return (
        not (task.answered and task.confirmed),
        not task.answered,
        task.least,
        not task.confirmed,
        task.canceled,
        task.created_at,
        task.task_id,
    )
