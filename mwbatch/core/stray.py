"""Refusals that are not about our rate: as many would come if we sent a tenth as fast, so slowing down is vain.

What an API with a limit serves, silences included, is never more than its limit; so it does not refuse a rate below that.
Where it does, request after request, it is not a limit that refuses; neither where a dozen refusals in a row, each of
which lowered the rate, have not found one. BBR bears random loss for the same reason (draft-ietf-ccwg-bbr); CUBIC does
not, and comes almost to a stand.
"""

from typing import Final

BORNE_S: Final = 60.0
"""For so long such refusals are borne; then it is looked at anew."""

MOST: Final = 0.5
"""A greater share of refusals is never borne."""

ENOUGH: Final = 20
"""Answers of a row, refusals among them, before it is judged."""

MANY: Final = 50
"""Answers without a refusal that end a row."""

LONGEST: Final = 12
"""Refusals in a row: as many would have found a limit …"""

SELDOM: Final = 0.15
"""… where they were no greater part of the answers."""

BELOW: Final = 0.97
"""Of what is served: a rate that is not refused by a limit."""

CHANCE: Final = 2.0
"""So many times the share may be refused from one refusal to the next, and `LEEWAY` more …"""

CHANCE_IN_ALL: Final = 1.5
"""… and so many times in all."""

LEEWAY: Final = 3
_WINDOW_S: Final = 1.0


class Stray:
    """Looks at refusals that follow one another in a row although the rate falls."""

    __slots__ = (
        "_answered",
        "_before",
        "_began",
        "_length",
        "_refused",
        "_row_answered",
        "_row_refused",
        "_share",
        "_until",
    )

    def __init__(self) -> None:
        # Since the last refusal that was fresh; in all of the row, or while refusals are borne.
        self._answered = self._refused = self._row_answered = self._row_refused = 0
        self._before = self._length = 0
        self._began: float | None = None
        self._share = 0.0
        self._until = float("-inf")

    def answered(self) -> None:
        """A request was not refused."""
        self._answered += 1

    def refused(self) -> None:
        """A request was refused."""
        self._refused += 1

    def borne(self, now: float) -> bool:
        """Look at a fresh refusal: whether nothing is to be learned from it, since no more are refused than by chance."""
        answered, refused = self._answered, self._refused
        self._answered, self._refused, self._before = 0, 0, answered
        self._row_answered += answered
        self._row_refused += refused
        if now >= self._until:
            return False
        lately = CHANCE * self._share * (answered + refused)
        in_all = CHANCE_IN_ALL * self._share * (self._row_answered + self._row_refused)
        if refused > lately + LEEWAY or self._row_refused > in_all + LEEWAY:
            self._until = float("-inf")
            return False
        return True

    def vain(self, rate: float, calm: bool, now: float) -> bool:
        """Look at one that is not borne, at ``rate``, after a ``calm`` time or not: whether the rate fell in vain."""
        if self._began is None or (calm and self._before >= MANY):
            self._began, self._length, self._row_answered, self._row_refused = now, 1, 0, 0
            return False
        self._length += 1
        total = self._row_answered + self._row_refused
        share = self._row_refused / total
        # A window may have begun anew just after the row: its part came twice.
        served = self._row_answered / (now - self._began + _WINDOW_S)
        long = self._length >= LONGEST and share <= SELDOM
        if total < ENOUGH or share > MOST or (rate >= BELOW * served and not long):
            return False
        self._began, self._share, self._until = None, share, now + BORNE_S
        self._row_answered = self._row_refused = 0
        return True
