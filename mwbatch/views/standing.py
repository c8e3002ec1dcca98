"""Where batches stand: one report, or a line for each batch of the home."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mwbatch.core.fold import Status
from mwbatch.core.hint import hint
from mwbatch.core.plural import counted
from mwbatch.core.progress import Report, ReportObject
from mwbatch.errors import Exit
from mwbatch.views.words import report_text


@dataclass(frozen=True, slots=True)
class Standing:
    """One batch. ``demanded``: incompleteness is an error (``--require-complete``)."""

    report: Report
    demanded: bool = False

    @property
    def exit(self) -> Exit:
        """0, as looking is not judging; 3 when completeness was demanded and is not there."""
        return Exit.UNFINISHED if self.demanded and not self.report.complete else Exit.DONE

    def text(self) -> str:
        """The counts and the next step."""
        return report_text(self.report)

    def json(self) -> ReportObject:
        """The shared object."""
        return self.report.json()


@dataclass(frozen=True, slots=True)
class Standings:
    """Every batch of a home; ``unreadable`` says why there is no report of some."""

    home: str
    reports: tuple[Report, ...]
    demanded: bool = False
    unreadable: tuple[str, ...] = ()

    @property
    def exit(self) -> Exit:
        """As `Standing`, for all of them; 6 where one cannot be read."""
        if self.unreadable:
            return Exit.MACHINE
        return max((Standing(report, self.demanded).exit for report in self.reports), default=Exit.DONE)

    def text(self) -> str:
        """A line a batch."""
        if not self.reports and not self.unreadable:
            return f"no batches in {self.home} yet: {hint('submit', 'MANIFEST')} makes one"
        lines = [_line(report) for report in self.reports]
        lines += _by_month(self.reports)
        return "\n".join([*lines, *(f"not looked into: {reason}" for reason in self.unreadable)])

    def json(self) -> dict[str, object]:
        """The shared object of each."""
        there: dict[str, object] = {"home": self.home, "batches": [report.json() for report in self.reports]}
        return there | {"unreadable": [*self.unreadable]}


def _by_month(reports: Iterable[Report]) -> Iterator[str]:
    """What all batches together have made in each month, and what it cost where each of them has a price."""
    tasks, costs = Counter[str](), dict[str, list[float | None]]()
    for spent in (report.spent for report in reports):
        tasks.update(spent.by_month)
        for month, count in spent.by_month.items():
            costs.setdefault(month, []).append(spent.cost(count))
    for month, count in sorted(tasks.items()):
        known = [cost for cost in costs[month] if cost is not None]
        cost = f", about {sum(known):,.2f}" if len(known) == len(costs[month]) else ""
        yield f"in {month}: {counted(count, 'task')}{cost}"


def _line(report: Report) -> str:
    done = report.by_status[Status.COMPLETED]
    rest = ", ".join(
        f"{count:,} {status.value}"
        for status, count in report.by_status.items()
        if count and status is not Status.COMPLETED
    )
    return f"{report.batch}: {done:,} of {report.rows:,} completed" + (f", {rest}" if rest else "")
