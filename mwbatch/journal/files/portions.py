"""Reading without holding anybody up: some at a time, in a thread."""

from collections.abc import AsyncIterator, Iterator
from itertools import islice
from typing import TypeVar

from mwbatch.journal.files.closing import in_thread

T = TypeVar("T")


async def portions(there: Iterator[T], size: int) -> AsyncIterator[list[T]]:
    """What blocks while it is read, at most ``size`` at a time.

    What the caller does runs while nothing is read.

    Cancelled, it ends once the portion that is being read is there: nobody reads on behind anybody's back.
    """
    while some := await in_thread(lambda: list(islice(there, size))):
        yield some
