"""Which row has a task, by the task's id."""

from array import array
from collections.abc import Callable
from typing import Final

_FIRST: Final = 1 << 10
_PART: Final = (1 << 30) - 1
"""What is kept of a hash: as much as Python counts with in one step."""

_MOST: Final = (1 << 32) - 1


class Holders:
    """The first row at which each task was shown: 12 to 24 bytes a task,
    because ids are kept by the rows alone.

    An open hash table in two columns: the row's number, counted from 1, and a part of the id's hash. ``has``
    says whether a row has a task of this id.
    """

    def __init__(self, has: Callable[[int, bytes], bool]) -> None:
        self._has = has
        self._used = 0
        self._empty(_FIRST)

    def claim(self, task_id: bytes, row: int) -> int:
        """Note that a task was shown at a row, which has it already;
        returns the first row at which it was.
        """
        rows, parts, mask, part = self._rows, self._parts, self._mask, hash(task_id) & _PART
        slot = part & mask
        while there := rows[slot]:
            if parts[slot] == part and self._has(there - 1, task_id):
                return there - 1
            slot = slot + 1 & mask
        if row < _MOST:
            rows[slot], parts[slot] = row + 1, part
            self._used += 1
            if self._used * 3 > mask * 2:
                self._grow()
        return row

    def find(self, task_id: bytes) -> int | None:
        """The first row at which a task was shown; None for none."""
        rows, parts, mask, part = self._rows, self._parts, self._mask, hash(task_id) & _PART
        slot = part & mask
        while there := rows[slot]:
            if parts[slot] == part and self._has(there - 1, task_id):
                return there - 1
            slot = slot + 1 & mask
        return None

    def _empty(self, size: int) -> None:
        self._rows, self._parts = array("I", bytes(4 * size)), array("I", bytes(4 * size))
        self._mask = size - 1

    def _grow(self) -> None:
        """Make the table twice as large and place every entry anew."""
        there = zip(self._rows, self._parts, strict=True)
        self._empty(2 * self._mask + 2)
        rows, parts, mask = self._rows, self._parts, self._mask
        for row, part in there:
            if row:
                slot = part & mask
                while rows[slot]:
                    slot = slot + 1 & mask
                rows[slot], parts[slot] = row, part
