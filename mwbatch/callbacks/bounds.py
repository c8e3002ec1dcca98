"""How much is stored of what comes to one address:
whoever learns an address must not fill the disk through it.
"""

from array import array
from typing import Final

from mwbatch.core.rows import GAP

MOST_TASKS: Final = 4
"""Tasks of one attempt that are stored: more than one is a double already."""

MOST_ANSWERS: Final = 4
"""Answers of one task that are stored: more than one is a conflict already."""


class Bounds:
    """What was stored of each attempt: eight bytes a row,
    and a few hundred for an attempt with more than one fact.

    Tasks are known by the hash of their id: should two of them agree, less is stored than might be.
    """

    def __init__(self) -> None:
        self._first = array("q")
        self._more: dict[tuple[int, int], dict[int, int]] = {}

    def holds(self, row: int, attempt: int, task_id: str) -> bool:
        """Whether room is taken for a task."""
        name = hash(task_id) or 1
        first = attempt == 1 and row < len(self._first) and self._first[row] == name
        return first or name in self._more.get((row, attempt), ())

    def take(self, row: int, attempt: int, task_id: str) -> bool:
        """Make room for one more fact of a task; False where there is none."""
        name, first = hash(task_id) or 1, 0
        if attempt == 1 and row < len(self._first) + GAP:
            if row >= len(self._first):
                self._first.frombytes(bytes(8 * (row + 1 + row // 4 - len(self._first))))
            first = self._first[row]
            if not first:
                self._first[row] = name
                return True
        more = self._more.setdefault((row, attempt), {})
        there = more.get(name, 0) + (name == first)
        if there >= MOST_ANSWERS or (
            not there and len(more) + (first not in more and first != 0) >= MOST_TASKS
        ):
            return False
        more[name] = more.get(name, 0) + 1
        return True

    def give_back(self, row: int, attempt: int, task_id: str) -> None:
        """Undo one `take`, as nothing was stored of it."""
        name = hash(task_id) or 1
        more = self._more.get((row, attempt), {})
        if there := more.pop(name, 0):
            more |= {name: there - 1} if there > 1 else {}
        elif attempt == 1 and row < len(self._first) and self._first[row] == name:
            self._first[row] = 0
