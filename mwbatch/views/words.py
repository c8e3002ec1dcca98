"""A report as words for people: short lines, so that a narrow terminal shows them whole."""

from collections.abc import Iterator

from mwbatch.core.advice import next_steps
from mwbatch.core.fold import Status
from mwbatch.core.progress import Report


def report_text(report: Report) -> str:
    """Where a batch stands, and what to do next; lines without a trailing newline."""
    return "\n".join([*_counts(report), *_next(report)])


def _counts(report: Report) -> Iterator[str]:
    yield f"batch {report.batch} ({report.batch_id}): {'complete' if report.complete else 'not complete'}"
    yield f"  {'rows':<13}{report.rows:>12,}"
    for status, count in report.by_status.items():
        if status is Status.DOUBT:
            count -= report.in_flight  # noqa: PLW2901 (shown in a line of its own)
        if count or status is Status.COMPLETED:
            yield f"  {status.value:<13}{count:>12,}"
    extra = {
        "in flight": report.in_flight,
        "surplus": report.surplus,
        "conflicts": report.conflicts,
        "unknown tasks": report.unknown_tasks,
        "damaged lines": report.damaged_lines,
    }
    for name, count in extra.items():
        if count:
            yield f"  {name:<13}{count:>12,}"


def _next(report: Report) -> Iterator[str]:
    steps = list(next_steps(report))
    if steps:
        yield "next:"
        yield from (f"  {step}" for step in steps)
