"""The completed rows as JSON lines in the manifest's order, at any time, also while the batch runs."""

from collections.abc import Awaitable, Callable, Iterator
from itertools import islice
from typing import Final

from mwbatch.core.codec.json_codec import encode
from mwbatch.core.report.command_outcomes import ResultsWritten
from mwbatch.core.report.result_line import Label, label
from mwbatch.core.state.row_status import Status
from mwbatch.core.words.plural import rows
from mwbatch.core.words.printable import cell
from mwbatch.journal.files.closing import in_thread
from mwbatch.journal.interface.distrust import tell_hidden
from mwbatch.journal.interface.journal import News
from mwbatch.journal.interface.labelled import results
from mwbatch.journal.interface.open_batch import OpenBatch, look
from mwbatch.views.plain import Result
from mwbatch.views.standing import judged
from mwbatch.views.terminal.streams import Stream, written

EVERY: Final = 0.5
"""Seconds between two looks at what was written meanwhile."""


def taken(told: ResultsWritten, *, demanded: bool = False) -> Result:
    """A file of results; ``demanded``: incompleteness is an error."""
    report = told.report
    words = (
        f"{cell(str(told.path))}: {rows(told.written)}; "
        f"{report.by_status[Status.COMPLETED]:,} of {rows(report.rows)} are completed"
    )
    value = report.json() | {"path": told.path, "written": told.written}
    return Result(words, value, judged([report], demanded=demanded))


def print_results(opened: OpenBatch, out: Stream, *, every: bool, demanded: bool) -> Result:
    """Print the lines, as long as somebody reads them;
    exit 3 when completeness was ``demanded`` and is not there.
    """
    lines = results(opened, every=every)
    while not out.over and (some := _some(lines)):
        out.json(some)
    tell_hidden(opened)
    return Result(exit=judged([opened.report()], demanded=demanded))


async def follow_results(
    opened: OpenBatch, out: Stream, sleep: Callable[[float], Awaitable[bool]], *, demanded: bool
) -> Result:
    """Print each line once, as its row is completed, until nothing is unfinished,
    nobody reads or ``sleep`` says to stop.

    ``opened`` has an empty state. While another process acts on the batch there may be more to come.
    """
    following, unfinished = opened.journal.news(opened.state), -1
    while not out.over:
        news = _labelled(opened, following)
        while lines := await in_thread(_some, news):
            out.json(lines)
            if not await written(out, sleep):
                return Result()
        if not following.quiet:
            unfinished = -1
        elif unfinished < 0:  # counted once and not at every look: it goes through all rows
            unfinished = (await opened.reported()).unfinished
        over = unfinished == 0 and await in_thread(opened.store.holder, opened.ref) is None
        if over or await sleep(EVERY):
            break
    if not demanded:
        return Result()
    whole = await look(opened.store, opened.ref)  # damage shows to a full reading alone
    return Result(exit=judged([await whole.reported()], demanded=True))


def _labelled(opened: OpenBatch, news: News) -> Iterator[Label]:
    for planned, answer in news.look():
        yield label(opened.info.name, planned, opened.state.row(planned.row), answer)


def _some(news: Iterator[Label]) -> bytes:
    """Some lines at a time, so that there are never many in memory."""
    return b"".join(map(_line, islice(news, 500)))


def _line(line: Label) -> bytes:
    return encode(line) + b"\n"
