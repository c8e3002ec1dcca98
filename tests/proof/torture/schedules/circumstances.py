"""The circumstances: what else happens while a cause is at work."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from mwbatch.simulator import Fault
from tests.proof.torture.schedules.interludes import (
    Interlude,
    canceled,
    copied,
    damaged,
    keys_gone,
    linked,
    mended,
    nothing,
    other_home,
    other_key,
    other_url,
    put_back,
    resigned,
    restored,
    results_removed,
    segments_gone,
)


@dataclass(frozen=True)
class Circumstance:
    """One circumstance.

    ``deaths`` are the most runs of the submitter that end by kill -9, ``receiver_deaths`` those of the
    receiver; ``at_once``: the first death comes before the first answer. ``steps``: this machine's clock
    steps. ``interlude`` happens after the first run, which is cut short where it is not `nothing`.
    ``intruder``: while the first run is at work somebody removes its lock and starts a second one.
    """

    deaths: int = 0
    at_once: bool = False
    receiver_deaths: int = 0
    steps: bool = False
    rates: Mapping[Fault, float] = field(default_factory=dict)
    interlude: Interlude = nothing
    intruder: bool = False

    @property
    def deafens(self) -> bool:
        """Whether callbacks may come too late, or are lost."""
        lost = bool(self.rates.get(Fault.CALLBACK_LOST) or self.receiver_deaths)
        return lost or self.interlude in _DEAFENING


_DEAFENING: Final = (restored, put_back, segments_gone, results_removed, keys_gone, other_key)

CIRCUMSTANCES: Final[Mapping[str, Circumstance]] = {
    "nothing-else": Circumstance(),
    "submitter-killed": Circumstance(deaths=4),
    "receiver-killed": Circumstance(receiver_deaths=4),
    "duplicate-callbacks": Circumstance(rates={Fault.CALLBACK_TWICE: 0.7, Fault.CALLBACK_LATE: 0.1}),
    "early-callbacks": Circumstance(rates={Fault.CALLBACK_EARLY: 0.7, Fault.CALLBACK_WRONG: 0.1}),
    "lost-callbacks": Circumstance(rates={Fault.CALLBACK_LOST: 0.7}),
    "clock-stepped": Circumstance(deaths=1, steps=True),
    "other-key": Circumstance(deaths=1, interlude=other_key),
    "other-url": Circumstance(deaths=1, interlude=other_url),
    "keys-gone": Circumstance(deaths=1, interlude=keys_gone),
    "folder-restored": Circumstance(deaths=1, interlude=restored),
    "folder-put-back": Circumstance(deaths=1, interlude=put_back),
    "segments-gone": Circumstance(deaths=1, interlude=segments_gone),
    "results-removed": Circumstance(interlude=results_removed),
    "lock-removed": Circumstance(intruder=True),
    "fresh-signatures": Circumstance(deaths=1, interlude=resigned),
    "copied-manifest": Circumstance(deaths=1, interlude=copied),
    "linked-manifest": Circumstance(deaths=1, interlude=linked),
    "invalid-list": Circumstance(deaths=1, interlude=mended),
    "other-home": Circumstance(deaths=1, interlude=other_home),
    "damaged-start": Circumstance(deaths=1, interlude=damaged),
    "canceled-in-doubt": Circumstance(deaths=1, interlude=canceled),
    "killed-at-once": Circumstance(deaths=1, at_once=True),
}
"""Every circumstance by its name."""
