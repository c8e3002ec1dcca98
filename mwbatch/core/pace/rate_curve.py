"""How the allowed rate moves between two refusals: the seconds since the last one go in, a rate comes out."""

from dataclasses import dataclass
from math import log
from typing import Final, Self

APPROACH_S: Final = 3.0
"""Seconds from the rate after a refusal up to the top."""

HOLD_S: Final = 10.0
"""Seconds at the top before a probe."""

SHORT_HOLD_S: Final = 1.0
"""The same where the top is only roughly known."""

HELD_S: Final = 2.0
"""Seconds at the top without a refusal after which it counts as held."""

PROBE: Final = 0.005
"""How far a probe rises at first, as a part of the top …"""

PROBE_DOUBLES_S: Final = 2.0
"""… and in how many seconds that doubles, again and again."""

ROUGH_PROBE: Final = 1 / 6
"""The first rise where the top is only roughly known, as a part of the distance to the rate that was
refused."""

ROUGH_PROBE_DOUBLES_S: Final = 1.5

LOOSE_PROBE: Final = 0.03
"""The first rise where what was refused says little of the top."""

SEARCH: Final = 1.5
"""Growth a second while the top was never found."""

AHEAD: Final = 2.0
"""A rate that is not used proves nothing: it rises to so many times what is answered, and `SPARE` a second
more."""

SPARE: Final = 10.0
FORGOTTEN_S: Final = 15.0
"""A bound that is so far ahead for so long is none."""

LONGEST_STEP_S: Final = 1.0
"""The most that counts as in use between two answers."""

_MOST_DOUBLINGS: Final = 60.0


@dataclass(frozen=True, slots=True)
class RateCurve:
    """From ``low`` near ``top`` as a cubic (RFC 9438), ``hold`` seconds there, then above it by ``lift``.

    Rates are starts a second. ``lift`` is a part of the top; it doubles every ``doubles`` seconds. While it
    is ``searching`` the top is nothing but a beginning.
    """

    low: float
    top: float
    hold: float
    lift: float = PROBE
    doubles: float = PROBE_DOUBLES_S
    searching: bool = False

    @classmethod
    def search(cls, rate: float) -> Self:
        """Upwards without a stop from a ``rate`` of which nothing is known but that it is not too much."""
        return cls(rate, rate, 0.0, 1.0, log(2) / log(SEARCH), searching=True)

    @classmethod
    def rough(cls, top: float, refused: float) -> Self:
        """Around a ``top`` that lies a good deal below the rate that was ``refused``: soon upwards again."""
        lift = max(PROBE, (refused / top - 1) * ROUGH_PROBE)
        return cls(top, top, SHORT_HOLD_S, lift, ROUGH_PROBE_DOUBLES_S)

    @classmethod
    def loose(cls, top: float) -> Self:
        """Around a ``top`` that no limit is below, but somewhere above: soon upwards again, and faster."""
        return cls(top, top, SHORT_HOLD_S, LOOSE_PROBE, ROUGH_PROBE_DOUBLES_S)

    def at(self, seconds: float) -> float:
        """The rate so long after the refusal."""
        if seconds < APPROACH_S:
            return float(self.top - (self.top - self.low) * (1 - seconds / APPROACH_S) ** 3)
        probing = self.probing(seconds)
        if probing <= 0:
            return self.top
        return float(self.top * (1 + self.lift * (2 ** min(probing / self.doubles, _MOST_DOUBLINGS) - 1)))

    def probing(self, seconds: float) -> float:
        """For how long it is above the top, so long after the refusal; negative before that."""
        return seconds - APPROACH_S - self.hold

    def used(self, rate: float, seconds: float, served: float) -> float | None:
        """A rate above the top, so far as it is used (``served`` a second); None where it is no bound."""
        most = AHEAD * served + SPARE
        if rate > most > AHEAD * self.top and self.probing(seconds) > FORGOTTEN_S:
            return None
        return max(self.top, min(rate, most))

    def held(self, seconds: float) -> float | None:
        """The rate that was held without a refusal, so long after the last: that of a second ago, if any."""
        enough = APPROACH_S + (0.0 if self.searching else HELD_S)
        return self.at(max(APPROACH_S, seconds - 1)) if seconds > enough else None
