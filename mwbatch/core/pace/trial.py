"""Whether refusals go on below the rate at which there were too many: a limit and chance differ there."""

from enum import Enum
from typing import Final

from mwbatch.core.pace.unrelated_refusals import Counts

TRIED: Final = 0.9
"""The rate of a trial, of what is served: a limit refuses nothing there."""

SETTLE_S: Final = 1.0
"""Until what was sent before is answered, and the second is over that a limit has used up."""

ENOUGH: Final = 100
LEAST_S: Final = 0.5
"""Answers that are enough, in so many seconds at least …"""

LONG_S: Final = 3.0
"""… or so many seconds with `FEW` of them …"""

FEW: Final = 40
LONGEST_S: Final = 12.0
"""… or so many."""

KEPT: Final = 200.0
"""Answers that the share is remembered from beside those of a trial …"""

KEPT_AFTER_MORE: Final = 20.0
"""… and where more was refused than it had said."""

LEAST: Final = 0.005
MORE: Final = 0.1
"""So much beyond the share is looked for, and a share of `LEAST` at least."""

SUDDEN: Final = 0.4
"""A share that is a limit's, whatever is expected, where it is so much likelier than a tenth as `SURE`
says."""

TENTH: Final = 0.1
SURE: Final = 3.0
ALIKE: Final = 2.5
"""Two shares are one where two are not likelier than that, as a log."""


class End(Enum):
    """What came of a trial."""

    CLEAN = "clean"
    """No more was refused than is expected."""
    MORE = "more"
    """More was: chance, or a limit that is lower still."""
    LIMIT = "limit"
    """So much that it is a limit."""


class Trial:
    """One trial, at a ``rate``; ``cause`` is what made the alarm.

    With ``before`` it is the second one, lower still.
    """

    __slots__ = ("_refused", "_settled", "_since", "_total", "before", "cause", "rate")

    def __init__(self, rate: float, now: float, cause: Counts, before: "Trial | None" = None) -> None:
        self.rate, self.cause, self.before = rate, cause, before
        self._since, self._settled = now + SETTLE_S, False
        self._refused = self._total = 0

    @property
    def counts(self) -> Counts:
        """What was counted."""
        return Counts(self._refused, self._total)

    def counted(self, now: float, refused: bool, share: float) -> End | None:
        """Count an answer where a ``share`` is expected to be refused; None while that is not enough."""
        if not self._settled and now >= self._since:
            self._settled, self._refused, self._total = True, 0, 0
        self._refused += refused
        self._total += 1
        if refused and self.counts.favours(max(TENTH, share), SUDDEN) > SURE:
            return End.LIMIT
        if not self._settled or not self._enough(now - self._since):
            return None
        low = max(LEAST, share)
        return End.MORE if self.counts.favours(low, low + MORE) > 0 else End.CLEAN

    def _enough(self, seconds: float) -> bool:
        many, few = self._total >= ENOUGH, self._total >= FEW
        return (many and seconds >= LEAST_S) or (few and seconds >= LONG_S) or seconds >= LONGEST_S

    def alike(self, before: "Trial", none: bool) -> bool:
        """Whether as much was refused as in the one ``before``; where ``none`` was expected, something."""
        return (self._refused > 0 or not none) and self.counts.apart(before.counts) < ALIKE
