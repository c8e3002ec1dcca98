"""Where facts live: a grow-only set, durable on return.

`Journal` is the whole seam: append, read, close. Its laws, which every back end passes:

1. A fact is durable, and seen by every later ``read``, once ``append`` returned.
2. ``append`` says of each fact whether it was new; an answer that is there already is not written again.
3. Nothing is read that was not appended, whatever happened to the process that appended it.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

from mwbatch.core.facts import Fact


class Journal(Protocol):
    """The facts of one batch."""

    async def append(self, facts: Sequence[Fact]) -> list[bool]:
        """Make ``facts`` durable and say of each whether it was new.

        Raises:
            DiskFull: none of them was written; the same call may be tried again.
            Poisoned: this journal writes nothing any more.
        """
        ...

    def read(self) -> Iterator[Fact]:
        """Every fact, those of other processes included, in no promised order."""
        ...

    async def close(self) -> None:
        """Finish what was begun and release the files."""
        ...
