"""What commands report, as plain values: a tally while they work, a report when they are done."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from mwbatch.core.spending.budget import Spent, SpentObject
from mwbatch.core.state.batch import Batch
from mwbatch.core.state.row_status import Status
from mwbatch.errors import Exit, Unfinished

_UNLIKE_DONE: Final = (Status.PLANNED, Status.DOUBT, Status.PENDING, Status.REJECTED)
"""What keeps a batch from being done, or has to be looked at."""


@dataclass(slots=True)
class Tally:
    """What a running command has got to. A view looks at it now and then; nothing waits for the view.

    ``phase`` is what it does now, in a word or two; ``done`` of ``total`` rows, or of that many bytes
    (``of_bytes``); 0 where nobody knows how many. ``listed`` counts the tasks that a listing has shown.
    ``trouble`` is what it waits for the end of, in a few words, and ``until`` the tick at which it tries
    again; ``notes`` are sentences that people should read, in order; ``hear`` gets each at once.
    """

    phase: str = ""
    done: int = 0
    total: int = 0
    of_bytes: bool = False
    in_flight: int = 0
    limit: int = 0
    doubt: int = 0
    rejected: int = 0
    listed: int = 0
    trouble: str = ""
    until: float = 0.0
    notes: list[str] = field(default_factory=list)
    hear: Callable[[str], None] = lambda _: None
    _told: set[str] = field(default_factory=set)

    def begin(self, phase: str, total: int = 0, *, done: int = 0, of_bytes: bool = False) -> None:
        """Begin a phase, with nothing left of the one before; with none the command has done its work."""
        self.phase, self.done, self.total, self.of_bytes = phase, done, total, of_bytes
        self.listed, self.trouble = 0, ""

    def wait(self, trouble: str, until: float = 0.0) -> None:
        """Say what keeps the command from going on, and at which tick it tries again; nothing: it goes on."""
        self.trouble, self.until = trouble, until

    def note(self, sentence: str) -> None:
        """Tell people something, once."""
        if sentence not in self._told:
            self._told.add(sentence)
            self.notes.append(sentence)
            self.hear(sentence)


@dataclass(frozen=True, slots=True)
class Report:
    """Where a batch stands: the object that ``run``, ``submit``,
    ``status`` and ``reconcile`` print with ``--json``.

    All are counts; ``in_flight`` is that part of the doubtful rows for which a live submitter still awaits an
    answer, ``exhausted`` that part of the planned ones which only `retry` sends again (it stands in no JSON),
    ``by_callback_only`` that part of the completed ones whose answer a callback brought, for a task that the
    API itself has not shown yet, ``rejected_callbacks`` those that did not fit: evidence, which makes no
    batch less complete, ``differing`` the answers that are stored and listed by the API otherwise, as far as
    a listing was asked for, ``raised`` the options that raise the limits, where these let no further row be
    sent (it stands in no JSON), ``spent`` what it has cost beside these limits, ``is_heard``: a receiver was
    there when the tasks were created.
    """

    batch: str
    batch_id: str
    home: str
    rows: int
    by_status: dict[Status, int]
    in_flight: int
    surplus: int
    conflicts: int
    unknown_tasks: int
    damaged_lines: int
    exhausted: int = 0
    rejected_callbacks: int = 0
    by_callback_only: int = 0
    differing: int = 0
    raised: str = ""
    spent: Spent = field(default_factory=Spent)
    is_heard: bool = False

    @property
    def complete(self) -> bool:
        """Whether nothing is planned, doubtful or pending, nothing in conflict and nothing damaged."""
        return not (self.unfinished or self.conflicts or self.differing or self.damaged_lines)

    @property
    def unfinished(self) -> int:
        """How many rows are planned, in doubt or pending."""
        return unfinished(self.by_status)

    @property
    def submitted(self) -> bool:
        """Whether every row has a task or is final."""
        return not self.by_status[Status.PLANNED] + self.by_status[Status.DOUBT]

    def why(self) -> str:
        """What keeps it from being complete and without findings, in words."""
        counts = {
            **{status.value: self.by_status[status] for status in _UNLIKE_DONE},
            "in conflict": self.conflicts,
            "surplus": self.surplus,
            "stored otherwise than listed": self.differing,
            "damaged": self.damaged_lines,
        }
        told = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
        return f"batch {self.batch}: {told or 'nothing is open'}"

    def check(self) -> "Report":
        """Return it, where every row is final.

        Raises:
            Unfinished: it is not complete, as `mwbatch status --require-complete` says with exit code 3.
        """
        if self.complete:
            return self
        raise Unfinished(self.why())

    def priced(self, price: float | None) -> "Report":
        """The same with tasks at another price, where one is named."""
        return self if price is None else replace(self, spent=self.spent.priced(price))

    def exit(self, *, done: bool) -> Exit:
        """The exit code, given whether what the command was for is ``done``."""
        if self.damaged_lines:
            return Exit.MACHINE
        if not done:
            return Exit.UNFINISHED
        findings = self.by_status[Status.REJECTED], self.conflicts, self.surplus, self.differing
        return Exit.ROWS if any(findings) else Exit.DONE

    def json(self) -> "ReportObject":
        """The object for scripts; its names are a promise."""
        return {
            "batch": self.batch,
            "batch_id": self.batch_id,
            "home": self.home,
            "rows": self.rows,
            "by_status": {status.value: count for status, count in self.by_status.items()},
            "in_flight": self.in_flight,
            "surplus": self.surplus,
            "conflicts": self.conflicts,
            "unknown_tasks": self.unknown_tasks,
            "damaged_lines": self.damaged_lines,
            "complete": self.complete,
            "rejected_callbacks": self.rejected_callbacks,
            "by_callback_only": self.by_callback_only,
            **self.spent.json(),
        }


class ReportObject(SpentObject):
    """A `Report` for scripts."""

    batch: str
    batch_id: str
    home: str
    rows: int
    by_status: dict[str, int]
    in_flight: int
    surplus: int
    conflicts: int
    unknown_tasks: int
    damaged_lines: int
    complete: bool
    rejected_callbacks: int
    by_callback_only: int


def unfinished(by_status: Mapping[Status, int]) -> int:
    """How many of counted rows are planned, in doubt or pending."""
    return sum(by_status[status] for status in (Status.PLANNED, Status.DOUBT, Status.PENDING))


def report(
    state: Batch,
    *,
    batch: str,
    batch_id: str,
    home: str,
    in_flight: int = 0,
    damaged: int = 0,
    rejected_callbacks: int = 0,
    raised: str = "",
    spent: Spent | None = None,
) -> Report:
    """Count the state of a batch."""
    return Report(
        batch=batch,
        batch_id=batch_id,
        home=home,
        rows=state.planned,
        by_status=state.by_status(),
        in_flight=in_flight,
        surplus=sum(1 for _ in state.surplus()),
        conflicts=sum(1 for _ in state.conflicts()),
        unknown_tasks=sum(1 for _ in state.unknown()),
        damaged_lines=damaged,
        exhausted=state.exhausted(),
        rejected_callbacks=rejected_callbacks,
        by_callback_only=state.by_callback_only(),
        raised=raised,
        spent=spent or Spent(),
    )
