"""Chance that depends on names alone, so that the order in which things happen changes nothing."""

from collections.abc import Sequence
from typing import TypeVar

from mwbatch.simulator.world.chance import fraction

T = TypeVar("T")


class Draw:
    """Draws from a key: the same name always draws the same."""

    def __init__(self, *key: object) -> None:
        self._key = key

    def of(self, *name: object) -> float:
        """A number in [0, 1)."""
        return fraction(*self._key, *name)

    def between(self, least: float, most: float, *name: object) -> float:
        """A number in [least, most)."""
        return least + (most - least) * self.of(*name)

    def whole(self, least: int, most: int, *name: object) -> int:
        """A whole number from ``least`` to ``most``, both included."""
        return least + int((most - least + 1) * self.of(*name))

    def chance(self, probability: float, *name: object) -> bool:
        """Whether something of this probability happens."""
        return self.of(*name) < probability

    def one_of(self, choices: Sequence[T], *name: object) -> T:
        """One of several."""
        return choices[self.whole(0, len(choices) - 1, *name)]
