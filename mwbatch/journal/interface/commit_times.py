"""What commits cost: plain numbers in fixed buckets, counted where commits run and read by whoever asks."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds for the time of one commit: from a fast NVMe disk to one that is about to fail."""

BYTES: Final = tuple(float(1 << n) for n in range(10, 25, 2))
"""Upper bounds for the size of one commit: 1 KiB to 16 MiB, in steps of four."""


class Histogram:
    """How many values fell into each bucket; a bucket holds what is above the bound before its own,
    and up to it.
    """

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        """One for each bound, and the last for what is above all of them."""
        self.total = 0.0
        """The sum of all values."""

    def add(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


@dataclass(frozen=True, slots=True)
class Commits:
    """The commits that became durable: how long each took, in seconds, and how many bytes it had."""

    seconds: Histogram = field(default_factory=lambda: Histogram(SECONDS))
    bytes: Histogram = field(default_factory=lambda: Histogram(BYTES))

    def add(self, seconds: float, size: int) -> None:
        """Count one commit."""
        self.seconds.add(seconds)
        self.bytes.add(size)
