"""Which row has a task, by the task's id."""

from array import array
from collections.abc import Callable
from typing import Final

_FIRST: Final = 1 << 10
_LOW: Final = (1 << 32) - 1


class Holders:
    """The first row at which each task was shown: 12 to 24 bytes a task, because ids are kept by the rows alone.

    An open hash table; an entry has half of the id's hash above the row's number, counted from 1. ``has`` says whether
    a row has a task of this id.
    """

    def __init__(self, has: Callable[[int, bytes], bool]) -> None:
        self._has = has
        self._slots, self._mask, self._used = array("Q", bytes(8 * _FIRST)), _FIRST - 1, 0

    def claim(self, task_id: bytes, row: int) -> int:
        """Note that a task was shown at a row, which has it already; returns the first row at which it was."""
        slot = self._slot(task_id)
        if entry := self._slots[slot]:
            return (entry & _LOW) - 1
        if row < _LOW:
            self._slots[slot] = (hash(task_id) & _LOW) << 32 | row + 1
            self._used += 1
            if self._used * 3 > self._mask * 2:
                self._grow()
        return row

    def find(self, task_id: bytes) -> int | None:
        """The first row at which a task was shown; None for none."""
        entry = self._slots[self._slot(task_id)]
        return (entry & _LOW) - 1 if entry else None

    def _slot(self, task_id: bytes) -> int:
        """The slot of a task, or the free one where it would stand."""
        slots, mask, half = self._slots, self._mask, hash(task_id) & _LOW
        slot = half & mask
        while (entry := slots[slot]) and not (entry >> 32 == half and self._has((entry & _LOW) - 1, task_id)):
            slot = slot + 1 & mask
        return slot

    def _grow(self) -> None:
        """Make the table twice as large and place every entry anew."""
        there = self._slots
        self._mask = mask = self._mask * 2 + 1
        self._slots = slots = array("Q", bytes(8 * mask + 8))
        for entry in filter(None, there):
            slot = entry >> 32 & mask
            while slots[slot]:
                slot = slot + 1 & mask
            slots[slot] = entry
