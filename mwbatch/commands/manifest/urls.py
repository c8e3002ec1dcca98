"""How many pictures a manifest shows."""

from array import array
from collections.abc import Iterable
from typing import Final

PARTS: Final = 64
"""Hashes are kept in so many parts by their last bits, so that equal ones are looked for in few at a time."""


class Urls:
    """Counts image URLs that differ, by their hashes: 8 bytes each.

    A rare collision may spoil a count on which nothing rests.
    """

    def __init__(self) -> None:
        self._parts = [array("q") for _ in range(PARTS)]

    def add(self, urls: Iterable[str]) -> None:
        """Take some in."""
        parts = self._parts
        for name in map(hash, urls):
            parts[name % PARTS].append(name)

    def __len__(self) -> int:
        return sum(len(set(part)) for part in self._parts)
