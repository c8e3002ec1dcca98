"""What the user should do next, from where the batch stands."""

from collections.abc import Iterator

from mwbatch.core.report.progress import Report
from mwbatch.core.state.row_status import Status
from mwbatch.core.words.hint import hint
from mwbatch.core.words.plural import counted, rows


def next_steps(report: Report) -> Iterator[str]:
    """Commands with their reason, the most urgent first; none where there is nothing to do or to look at."""
    name, count = report.batch, report.by_status
    if report.damaged_lines:
        yield _step(hint("reconcile", name, "--list", "damaged"), "see what the disk lost")
    unsent = count[Status.PLANNED] - report.exhausted
    if unsent > 0 and not report.in_flight:
        yield _resume(report, unsent)
    if report.exhausted and not report.in_flight:
        yield _step(
            hint("retry", name), f"send the {rows(report.exhausted)} again that were sent four times in vain"
        )
    if count[Status.DOUBT] - report.in_flight > 0:
        yield _step(hint("reconcile", name), f"find out about the {rows(count[Status.DOUBT])} in doubt")
    if count[Status.PENDING]:
        yield _awaited(report)
    if count[Status.REJECTED]:
        were = "was" if count[Status.REJECTED] == 1 else "were"
        yield _step(
            hint("status", name, "--rows", "rejected"),
            f"see why {rows(count[Status.REJECTED])} {were} refused",
        )
    yield from _oddities(report)
    if count[Status.COMPLETED]:
        # MUST be no name that a manifest has: a batch is called like its manifest, often `name.jsonl`.
        yield _step(
            hint("results", name, "-o", f"{name}.results.jsonl"), "the answers, in the manifest's order"
        )
    elif not (report.rows or report.damaged_lines):
        yield _step(
            hint("status"), "this batch has no row of its own: see the batches that were asked before"
        )
    elif report.rows and count[Status.CANCELED] == report.rows:
        yield _step(
            hint("status", name, "--rows", "canceled"), f"see the {rows(report.rows)} that you gave up"
        )


def _resume(report: Report, unsent: int) -> str:
    """Send what is left: with the limit raised where it lets nothing more through,
    else it would end as it did.
    """
    command = hint("resume", report.batch, *report.raised.split())
    why = "the limit is reached: raise it, and " if report.raised else ""
    return _step(command, f"{why}send the {rows(unsent)} not sent yet")


def _awaited(report: Report) -> str:
    """Answers to wait for: they come by themselves where a receiver is there, else they are asked for."""
    pending = rows(report.by_status[Status.PENDING])
    if report.is_heard or report.in_flight:  # whoever sends has the answers come, or says how to get them
        return _step(hint("status", report.batch, "--watch"), f"see the answers of {pending} come in")
    return _step(hint("reconcile", report.batch, "--wait"), f"fetch the {pending} still pending")


def _step(command: str, reason: str) -> str:
    return f"{command}    # {reason}"


def _oddities(report: Report) -> Iterator[str]:
    """What came from the API and does not fit: one list each."""
    name, callbacks = report.batch, report.rejected_callbacks
    if report.surplus or report.conflicts:
        yield _step(
            hint("reconcile", name, "--list", "surplus" if report.surplus else "conflicts"), "see each"
        )
    if report.unknown_tasks:
        yield _step(
            hint("reconcile", name, "--list", "unknown"), "see the tasks of rows that the batch does not have"
        )
    if callbacks:
        yield _step(
            hint("reconcile", name, "--list", "unusable"),
            f"see the {counted(callbacks, 'callback')} that did not fit",
        )
