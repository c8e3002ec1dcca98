"""Refusals that are scattered over all rates, and when there are more of them than by chance.

An API may refuse a share of all requests, however slow they come. So a share is expected, and only more than
it explains is an alarm (a CUSUM of log likelihood ratios, Page 1954). BBR bears random loss for the same
reason (draft-ietf-ccwg-bbr); CUBIC does not, and comes almost to a stand.
"""

from math import log
from typing import Final, NamedTuple

BELIEVED: Final = 1.0, 20.0
"""Refusals and answers that are taken for granted at the start: one refusal alone tells little then."""

NONE: Final = 0.006
"""A lesser share is none: each refusal is an alarm."""

USUAL: Final = 0.04
"""A share that is known from a hundred answers or two may as well be this, if it is less."""

UNBOUND: Final = 0.05
"""The least that is expected while nothing bounds us: who runs into a limit there is refused at every third
request."""

MORE: Final = 0.1
"""So much more than the share is to be noticed …"""

MORE_UNBOUND: Final = 0.2
"""… and so much while nothing bounds us."""

ALARM: Final = 4.0
"""The log of the likelihood ratio that is an alarm, beyond that of the rate: false ones come by the
minute, whatever the rate."""

SLOW: Final = 50.0
"""The least rate that counts for this."""

MEMORY: Final = 500.0
"""Answers from which the share is taken."""

MANY: Final = 3
"""Alarms that follow one another where no chance is known, after which there is a trial."""

LONGEST: Final = 12
"""Alarms that follow one another, each with a silence, after which no limit is looked for …"""

SELDOM: Final = 5.0
"""… where so many times as much was answered."""

_LEAST, _GREATEST = 0.0001, 0.5


class Counts(NamedTuple):
    """Refusals among ``total`` answers."""

    refused: int = 0
    total: int = 0

    def favours(self, low: float, high: float) -> float:
        """The log of how much likelier they are with a share of ``high`` than with one of ``low``."""
        return self.refused * log(high / low) + (self.total - self.refused) * log((1 - high) / (1 - low))

    def apart(self, other: "Counts") -> float:
        """The log of how much likelier both are with two shares than with one."""
        both = Counts(self.refused + other.refused, self.total + other.total)
        return _own(self) + _own(other) - _own(both)


class UnrelatedRefusals:
    """Looks at each answer. A ``share`` is expected to be refused; ``suspects`` may be too many.

    ``answers`` is counted up by whoever had an answer that was no refusal: that comes with each row.
    """

    __slots__ = ("_known", "_score", "answers", "first", "share", "suspects")

    def __init__(self) -> None:
        self._known = BELIEVED
        self.share = BELIEVED[0] / BELIEVED[1]
        self.answers, self._score = 0, 0.0
        self.suspects, self.first = Counts(), True

    @property
    def none(self) -> bool:
        """Whether nothing is refused by chance."""
        return self.share < NONE

    def refused(self, rate: float, bound: bool) -> bool:
        """A request was refused at a rate, ``bound`` or not: whether that is an alarm; ``first``: unexpected.

        The share is learned here only while nothing bounds us: near a limit its own refusals would be
        learned.
        """
        share = self.share if bound else max(UNBOUND, self.share)
        more = share + (MORE if bound else MORE_UNBOUND)
        self._score += self.answers * log((1 - more) / (1 - share))
        refused, total = self.suspects.refused, self.suspects.total + self.answers
        self.first = self._score <= 0
        if self.first:
            if not bound:
                self.learn(Counts(refused, total))
            self._score, refused, total = 0.0, 0, 0
        self._score += log(more / share)
        self.answers, self.suspects = 0, Counts(refused + 1, total + 1)
        return share < NONE or self._score >= ALARM + log(max(SLOW, rate))

    def begin(self) -> None:
        """Look anew: what came before is known, or says nothing any more."""
        self.answers, self._score, self.suspects = 0, 0.0, Counts()

    def explains(self, suspects: Counts) -> bool:
        """Whether chance explains what was an alarm."""
        return not self.none and suspects.favours(self.share, self.share + MORE) < ALARM + 1

    def learn(self, counts: Counts, memory: float = MEMORY) -> None:
        """Take the share from these and from ``memory`` answers before them."""
        refused, total = self._known
        kept = min(1.0, memory / total) if total else 0.0
        self._known = refused * kept + counts.refused, total * kept + counts.total
        share = self._known[0] / max(1.0, self._known[1])
        self.share = _LEAST if share < NONE else min(_GREATEST, max(USUAL, share))

    def disbelieve(self) -> None:
        """Take for granted no longer that something is refused by chance."""
        if self._known[0] <= BELIEVED[0]:
            self._known = 0.0, BELIEVED[1]
            self.share = _LEAST


def _own(counts: Counts) -> float:
    """The log of how likely counts are with the share that they have."""
    parts = counts.refused, counts.total - counts.refused
    return sum(part * log(part / counts.total) for part in parts if part)
