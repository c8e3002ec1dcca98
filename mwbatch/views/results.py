"""The completed rows as JSON lines in the manifest's order, at any time, also while the batch runs."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from mwbatch.core.fold import Status
from mwbatch.core.labels import Label, label
from mwbatch.core.outcomes import Taken
from mwbatch.core.plural import rows
from mwbatch.core.printable import cell
from mwbatch.core.text import encode
from mwbatch.errors import Exit
from mwbatch.journal import News
from mwbatch.journal.closing import in_thread
from mwbatch.journal.harm import tell_hidden
from mwbatch.journal.labelled import results
from mwbatch.journal.opened import Opened, look
from mwbatch.views.plain import Done
from mwbatch.views.standing import Standing
from mwbatch.views.streams import Stream, written

EVERY: Final = 0.5
"""Seconds between two looks at what was written meanwhile."""


@dataclass(frozen=True, slots=True)
class TakenView:
    """A file of results, ready to be shown. ``demanded``: incompleteness is an error."""

    taken: Taken
    demanded: bool = False

    @property
    def exit(self) -> Exit:
        """As `Standing`."""
        return Standing(self.taken.report, self.demanded).exit

    def text(self) -> str:
        """One sentence."""
        done = self.taken.report.by_status[Status.COMPLETED]
        return (
            f"{cell(str(self.taken.path))}: {rows(self.taken.written)}; "
            f"{done:,} of {rows(self.taken.report.rows)} are completed"
        )

    def json(self) -> dict[str, object]:
        """The shared object, with the file."""
        return self.taken.report.json() | {"path": self.taken.path, "written": self.taken.written}


def print_results(opened: Opened, out: Stream, *, every: bool, demanded: bool) -> Done:
    """Print the lines, as long as somebody reads them;
    exit 3 when completeness was ``demanded`` and is not there.
    """
    lines = results(opened, every=every)
    while not out.over and (some := _some(lines)):
        out.json(some)
    tell_hidden(opened)
    return Done(Standing(opened.report(), demanded).exit)


async def follow_results(
    opened: Opened, out: Stream, sleep: Callable[[float], Awaitable[bool]], *, demanded: bool
) -> Done:
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
                return Done()
        if not following.quiet:
            unfinished = -1
        elif unfinished < 0:  # counted once and not at every look: it goes through all rows
            unfinished = (await opened.reported()).unfinished
        over = unfinished == 0 and await in_thread(opened.store.holder, opened.ref) is None
        if over or await sleep(EVERY):
            break
    if not demanded:
        return Done()
    whole = await look(opened.store, opened.ref)  # damage shows to a full reading alone
    return Done(Standing(await whole.reported(), demanded=True).exit)


def _labelled(opened: Opened, news: News) -> Iterator[Label]:
    for planned, answer in news.look():
        yield label(opened.card.name, planned, opened.state.row(planned.row), answer)


def _some(news: Iterator[Label]) -> bytes:
    """Some lines at a time, so that there are never many in memory."""
    return b"".join(map(_line, islice(news, 500)))


def _line(line: Label) -> bytes:
    return encode(line) + b"\n"
