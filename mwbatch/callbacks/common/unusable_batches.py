"""The batches that cannot be used: each is said once, and once when it can be.

Reading them is tried ever more seldom.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from mwbatch.callbacks.common.troubles import Troubles
from mwbatch.errors import StoreError

FIRST: Final = 2.0
"""Seconds after which a batch that could not be read is tried once more; twice as many after each failure."""

MOST: Final = 60.0
"""The most of them: reading far into a large batch, only to fail, takes its time each time."""


WHERE: Final = "not stored in it"


@dataclass(slots=True)
class _Kept:
    """``pause`` in seconds, and ``again`` when it may be tried; both 0 where looking costs nothing."""

    pause: float = 0.0
    again: float = 0.0


class UnusableBatches:
    """Batches that cannot be used. ``now`` is in seconds of a monotonic clock."""

    def __init__(self, troubles: Troubles) -> None:
        self._troubles = troubles
        self._kept: dict[str, _Kept] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def seen(self, bad: dict[str, StoreError], good: Collection[str], taking: Collection[str] = ()) -> None:
        """Take in what a look at the home came to: batches that cannot be used, and those that perhaps can.

        Those which are ``taking`` callbacks go on, until their journal has to be read again.
        """
        for where in [*self._kept]:
            unread = self._kept[where].pause and where in good
            if where not in bad and not unread:
                self.back(where)
        for where, why in bad.items():
            gone = "stored in it until it has to be read again" if where in taking else WHERE
            self._set(where, why, _Kept(), gone)

    def unread(self, where: str, why: StoreError, now: float) -> None:
        """A batch could not be read."""
        pause = min(2 * self._kept.get(where, _Kept()).pause or FIRST, MOST)
        self._set(where, why, _Kept(pause, now + pause))

    def is_due(self, where: str, now: float) -> bool:
        """Whether a batch may be read."""
        return where not in self._kept or now >= self._kept[where].again

    def back(self, where: str) -> None:
        """It can be used, or is gone."""
        if self._kept.pop(where, None):
            self._troubles.end(f"aside {where}", f"{where} is set aside no longer")

    def _set(self, where: str, why: StoreError, kept: _Kept, gone: str = WHERE) -> None:
        self._kept[where] = kept
        self._troubles.begin(f"aside {where}", f"{where} is set aside, callbacks are {gone}: {why}", gone)
