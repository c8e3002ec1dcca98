"""A report as words for people: short lines, so that a narrow terminal shows them whole."""

import sys
import textwrap
from collections.abc import Iterator
from typing import Final

from mwbatch.core.report.next_steps import next_steps
from mwbatch.core.report.progress import Report
from mwbatch.core.spending.budget import Spent
from mwbatch.core.state.row_status import Status
from mwbatch.views.terminal.streams import Stream

WIDE: Final = 200
"""Columns of what is no terminal: nothing has to be folded there."""


def report_text(report: Report, width: int | None = None) -> str:
    """Where a batch stands, and what to do next; lines without a trailing newline.

    ``width`` is the terminal's, in columns; where it is not given, that of the terminal that is there.
    """
    width = width or (isinstance(sys.stdout, Stream) and sys.stdout.columns) or WIDE
    return "\n".join([*_counts(report), *_next(report, width)])


def _counts(report: Report) -> Iterator[str]:
    yield f"batch {report.batch} ({report.batch_id}): {'complete' if report.complete else 'not complete'}"
    yield f"  {'rows':<16}{report.rows:>9,}"
    for status, count in report.by_status.items():
        if status is Status.DOUBT:
            count -= report.in_flight  # noqa: PLW2901 (shown in a line of its own)
        if count or status is Status.COMPLETED:
            yield f"  {status.value:<16}{count:>9,}"
    extra = {
        "by callback only": report.by_callback_only,
        "in flight": report.in_flight,
        "surplus": report.surplus,
        "conflicts": report.conflicts,
        "differing": report.differing,
        "unknown tasks": report.unknown_tasks,
        "damaged lines": report.damaged_lines,
        "bad callbacks": report.rejected_callbacks,
    }
    for name, count in extra.items():
        if count:
            yield f"  {name:<16}{count:>9,}"
    yield from _spent(report.spent, unsure=bool(report.by_status[Status.DOUBT]))


def _spent(spent: Spent, *, unsure: bool) -> Iterator[str]:
    """What it has cost so far, in all and by month, and what it may cost,
    by the names of the options that say so.

    ``unsure``: of some rows nobody knows yet whether they have a task; they are counted.
    """
    limits = spent.limits
    if spent.tasks:
        yield _cost("tasks at most" if unsure else "tasks so far", spent, spent.tasks)
    for month, tasks in spent.by_month.items() if len(spent.by_month) > 1 or limits.price else ():
        yield _cost(f"  in {month}", spent, tasks)
    if limits.max_tasks is not None:
        yield f"  {'--max-tasks':<16}{limits.max_tasks:>9,}"
    if limits.max_cost is not None:
        yield f"  {'--max-cost':<16}{limits.max_cost:>9,.2f}"


def _cost(name: str, spent: Spent, tasks: int) -> str:
    cost = spent.cost(tasks)
    return f"  {name:<16}{tasks:>9,}" + ("" if cost is None else f"  {cost:,.2f}")


def _next(report: Report, width: int) -> Iterator[str]:
    steps = list(next_steps(report))
    if steps:
        yield "next:"
        for step in steps:
            yield from _folded(step, width)


def _folded(step: str, width: int) -> Iterator[str]:
    """A command with its reason on one line, or the reason above it; the command stays whole,
    to be copied.
    """
    command, _, reason = step.partition("    # ")
    if len(step) + 2 <= width:
        yield f"  {step}"
        return
    yield from textwrap.wrap(reason, width, initial_indent="  # ", subsequent_indent="  # ")
    yield f"  {command}"
