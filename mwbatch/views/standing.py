"""Where batches stand: one report, or a line for each batch of the home."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from mwbatch.core.report.progress import Report
from mwbatch.core.state.row_status import Status
from mwbatch.core.words.hint import hint
from mwbatch.core.words.plural import counted
from mwbatch.errors import Exit
from mwbatch.views.plain import Result
from mwbatch.views.terminal.words import report_text


def one(report: Report, *, demanded: bool = False) -> Result:
    """One batch: the counts and the next step. ``demanded``: incompleteness is an error
    (``--require-complete``).
    """
    return Result(report_text(report), report.json(), judged([report], demanded=demanded))


def every(
    home: str, reports: Sequence[Report], *, demanded: bool = False, unreadable: Sequence[str] = ()
) -> Result:
    """Every batch of a home, a line each; ``unreadable`` says why there is no report of some."""
    value = {
        "home": home,
        "batches": [report.json() for report in reports],
        "unreadable": [*unreadable],
    }
    if not reports and not unreadable:
        return Result(f"no batches in {home} yet: {hint('submit', 'MANIFEST')} makes one", value)
    lines = [*map(_line, reports), *_by_month(reports), *(f"not looked into: {why}" for why in unreadable)]
    return Result("\n".join(lines), value, Exit.MACHINE if unreadable else judged(reports, demanded=demanded))


def judged(reports: Iterable[Report], *, demanded: bool) -> Exit:
    """0, as looking is not judging; 3 when completeness was ``demanded`` and is not there."""
    return Exit.UNFINISHED if demanded and not all(report.complete for report in reports) else Exit.DONE


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
