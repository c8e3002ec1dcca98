"""What methods give that look at several batches at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mwbatch.core.report.audit import Audited
from mwbatch.core.report.checked import Checked
from mwbatch.core.report.progress import Report
from mwbatch.errors import Exit, StoreError
from mwbatch.journal.interface.batches import each
from mwbatch.journal.interface.open_batch import read
from mwbatch.journal.interface.store import Store


@dataclass(frozen=True, slots=True)
class Standing(Checked):
    """Where every batch of a home stands; ``unreadable`` says why there is no report of some."""

    batches: tuple[Report, ...]
    unreadable: tuple[str, ...] = ()

    @property
    def exit(self) -> Exit:
        """As `mwbatch status --require-complete` exits."""
        if self.unreadable:
            return Exit.MACHINE
        return Exit.DONE if all(report.complete for report in self.batches) else Exit.UNFINISHED

    def why(self) -> str:
        """Which batches are not complete, or cannot be read."""
        return "; ".join((*self.unreadable, *(one.why() for one in self.batches if not one.complete)))


def standing(store: Store, price: float | None) -> Standing:
    """Where each batch of a home stands, at a price a task. Blocks."""
    made = [made for _, made in each(store, lambda ref: read(store, ref).report().priced(price))]
    return Standing(
        tuple(report for report in made if not isinstance(report, StoreError)),
        tuple(str(why) for why in made if isinstance(why, StoreError)),
    )


@dataclass(frozen=True, slots=True)
class AuditReport(Checked):
    """What was asked for more than once: so many requests, with so many tasks beyond one each.

    ``cost`` is that of these tasks; None where no price was named. ``details`` is the object of
    `mwbatch audit --json`, ``words`` what people read.
    """

    asked_again: int
    tasks_beyond: int
    cost: float | None
    unreadable: tuple[str, ...]
    details: Mapping[str, object]
    words: str
    exit_code: Exit

    @property
    def exit(self) -> Exit:
        """1 where something was asked twice; 3 and 6 where not everything could be looked at."""
        return self.exit_code

    def why(self) -> str:
        """The whole of it, in words."""
        return self.words


def audit_report(found: Sequence[Audited], price: float | None) -> AuditReport:
    """The audit of every API, at a price a task."""
    from mwbatch.views.audit import audited

    shown, beyond = audited(found, price), sum(one.audit.beyond for one in found)
    return AuditReport(
        asked_again=sum(one.audit.requests for one in found),
        tasks_beyond=beyond,
        cost=None if price is None else round(price * beyond, 6),
        unreadable=tuple(reason for one in found for reason in one.unreadable),
        details=shown.value if isinstance(shown.value, dict) else {},
        words=shown.words,
        exit_code=shown.exit,
    )
