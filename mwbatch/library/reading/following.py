"""Answers as they come."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import islice
from typing import Final

from mwbatch.core.report.result_line import Label, label
from mwbatch.core.words.values import LEAST_LOOK, LONGEST, amount
from mwbatch.journal.files.closing import in_thread
from mwbatch.journal.interface.journal import News
from mwbatch.journal.interface.open_batch import OpenBatch

SOME: Final = 500
"""Rows that are read at a time, in a thread: there are never many in memory."""


async def followed(
    opened: OpenBatch, sleep: Callable[[float], Awaitable[bool]], every: float
) -> AsyncIterator[Label]:
    """Each completed row once, until nothing is unfinished and nobody acts on the batch, or ``sleep`` says to
    stop. ``opened`` has an empty state.

    Raises:
        BadValue: ``every`` cannot be.
        StoreError: the batch cannot be read.
    """
    amount("every", every, LEAST_LOOK, LONGEST)
    following, unfinished = opened.journal.news(opened.state), -1
    while True:
        news = _labelled(opened, following)
        while some := await in_thread(_some, news):
            for line in some:
                yield line
        if not following.quiet:
            unfinished = -1
        elif unfinished < 0:  # counted once and not at every look: it goes through all rows
            unfinished = (await opened.reported()).unfinished
        over = unfinished == 0 and await in_thread(opened.store.holder, opened.ref) is None
        if over or await sleep(every):
            return


def _some(news: Iterator[Label]) -> list[Label]:
    return list(islice(news, SOME))


def _labelled(opened: OpenBatch, news: News) -> Iterator[Label]:
    for planned, answer in news.look():
        yield label(opened.info.name, planned, opened.state.row(planned.row), answer)
