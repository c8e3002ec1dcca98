"""What the user should do next, from where the batch stands."""

from collections.abc import Iterator

from mwbatch.core.fold import Status
from mwbatch.core.progress import Report


def next_steps(report: Report) -> Iterator[str]:
    """Commands with their reason, the most urgent first; always at least one."""
    name, count = report.batch, report.by_status
    if report.damaged_lines:
        yield f"mwbatch reconcile {name} --list damaged    # see what the disk lost"
    unsent = count[Status.PLANNED] - report.exhausted
    if unsent > 0 and not report.in_flight:
        yield f"mwbatch resume {name}    # send the {rows(unsent)} not sent yet"
    if report.exhausted and not report.in_flight:
        yield f"mwbatch retry {name}    # send the {rows(report.exhausted)} again that were sent four times in vain"
    if count[Status.DOUBT] - report.in_flight > 0:
        yield f"mwbatch reconcile {name}    # find out about the {rows(count[Status.DOUBT])} in doubt"
    if count[Status.PENDING]:
        yield f"mwbatch reconcile {name} --wait    # fetch the {rows(count[Status.PENDING])} still pending"
    if count[Status.REJECTED]:
        yield f"mwbatch status {name} --rows rejected    # see why {rows(count[Status.REJECTED])} were refused"
    yield from _oddities(report)
    if count[Status.COMPLETED]:
        yield f"mwbatch results {name} > {name}.jsonl    # the answers, in the manifest's order"
    elif not report.rows:
        yield "mwbatch submit MANIFEST    # the batch has no rows yet"


def _oddities(report: Report) -> Iterator[str]:
    """What came from the API and does not fit: one list each."""
    name, callbacks = report.batch, report.rejected_callbacks
    if report.surplus or report.conflicts:
        yield f"mwbatch reconcile {name} --list {'surplus' if report.surplus else 'conflicts'}    # see each"
    if report.unknown_tasks:
        yield f"mwbatch reconcile {name} --list unknown    # see the tasks of rows that the batch does not have"
    if callbacks:
        yield f"mwbatch reconcile {name} --list rejected    # see the {callbacks:,} callback{'s' * (callbacks != 1)} that did not fit"


def rows(count: int) -> str:
    """``1 row``, ``1,000 rows``."""
    return f"{count:,} row" if count == 1 else f"{count:,} rows"
