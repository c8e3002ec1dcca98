"""Follows a journal while others write it: which task was seen of which attempt, at a small part of what reading costs.

What is found here is good for a warning and for nothing else: checksums are not looked at.
"""

import re
from array import array
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from mwbatch.core.text import decode, encode
from mwbatch.journal.disk import read_own
from mwbatch.journal.segments import JOURNAL

CHUNK: Final = 1 << 18
"""Bytes between two looks at whether it is time to stop."""

SPAN: Final = 1024
"""Rows that share one array."""

_SEEN: Final = re.compile(
    rb'^\{"v":1,"fact":"seen","at":[^,]*,"row":(\d+),"attempt":(\d+),"task_id":("(?:[^"\\]|\\.)*").*\n',
    re.MULTILINE,
)


class Tasks:
    """The first task that was named for each attempt: eight bytes a row."""

    def __init__(self) -> None:
        self._spans: dict[tuple[int, int], array[int]] = {}

    def note(self, row: int, attempt: int, task: bytes) -> bool:
        """Take in that this task (as JSON) was named; says whether another one had been named before."""
        place, name = (attempt, row // SPAN), hash(task) or 1
        if place not in self._spans:
            self._spans[place] = array("q", bytes(8 * SPAN))
        span, at = self._spans[place], row % SPAN
        span[at] = span[at] or name
        return span[at] != name


class Follower:
    """One batch folder. Blocks; call it from one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / JOURNAL
        self._read: dict[Path, int] = {}
        self.tasks = Tasks()

    def follow(self, stop: Callable[[], bool] = lambda: False) -> list[int]:
        """Read what was written since the last call; the rows of which another task was seen than the one before."""
        strange: dict[int, None] = {}
        for text in self._news():
            for found in _SEEN.finditer(text):
                row = int(found[1])
                if self.tasks.note(row, int(found[2]), plain(found[3])):
                    strange[row] = None
            if stop():
                break
        return list(strange)

    def _news(self) -> Iterator[bytes]:
        """Whole lines, many at a time."""
        for path in sorted(self._folder.glob("*.jsonl")):
            # Whoever needs the file tells of what is wrong with it.
            with suppress(OSError), read_own(path) as file:
                file.seek(self._read.get(path, 0))
                while chunk := file.read(CHUNK) + file.readline():
                    whole, newline, _ = chunk.rpartition(b"\n")
                    self._read[path] = self._read.get(path, 0) + len(whole) + len(newline)
                    yield whole + newline


def plain(text: bytes) -> bytes:
    """A task's id as JSON, always spelled the same way."""
    return encode(decode(text)) if b"\\" in text else text
