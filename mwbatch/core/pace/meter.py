"""How often something happened in the last second."""

from typing import Final

WINDOW_S: Final = 1.0
"""Seconds that a meter looks back: the windows in which rate limits count are seldom shorter."""

_SLOTS: Final = 10
SLOTS_A_SECOND: Final = _SLOTS / WINDOW_S
"""What a time is multiplied by to have the slot in which it lies."""


class Meter:
    """Counts events in slots of a tenth of its window; times never go back."""

    __slots__ = ("_counts", "_slot")

    def __init__(self) -> None:
        self._counts = [0] * (_SLOTS + 1)
        self._slot = 0

    def count(self, now: float, more: int = 1) -> None:
        """So many more, in the slot of ``now``."""
        slot = int(now * SLOTS_A_SECOND)
        if slot > self._slot:
            self._turn(slot)
        self._counts[self._slot % (_SLOTS + 1)] += more

    def rate(self, now: float) -> float:
        """Events a second, over the whole slots of the last window and the one that has begun."""
        slot = int(now * SLOTS_A_SECOND)
        if slot > self._slot:
            self._turn(slot)
        return sum(self._counts) / (WINDOW_S + max(0.0, now - self._slot / SLOTS_A_SECOND))

    def _turn(self, slot: int) -> None:
        for passed in range(max(self._slot + 1, slot - _SLOTS), slot + 1):
            self._counts[passed % (_SLOTS + 1)] = 0
        self._slot = slot
