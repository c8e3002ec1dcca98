"""Which task was named first for each attempt: eight bytes a row, good for a warning and nothing else."""

from array import array
from typing import Final

from mwbatch.core.codec.ids import Attempt, RowNumber

SPAN: Final = 1024
"""Rows that share one array."""


class Named:
    """The first task that was named for each attempt."""

    def __init__(self) -> None:
        self._spans: dict[tuple[int, int], array[int]] = {}

    def note(self, row: RowNumber, attempt: Attempt, task: bytes) -> bool:
        """Take in that this task (as JSON) was named; says whether another one had been named before."""
        place, name = (attempt, row // SPAN), hash(task) or 1
        if place not in self._spans:
            self._spans[place] = array("q", bytes(8 * SPAN))
        span, at = self._spans[place], row % SPAN
        span[at] = span[at] or name
        return span[at] != name
