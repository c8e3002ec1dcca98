"""The batches that cannot be used: each is said once, and once when it can be; reading them is tried ever more seldom."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mwbatch.callbacks.troubles import Troubles
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


class Aside:
    """Folders of batches that cannot be used. ``now`` is in seconds of a monotonic clock."""

    def __init__(self, troubles: Troubles) -> None:
        self._troubles = troubles
        self._kept: dict[Path, _Kept] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def seen(
        self, bad: dict[Path, StoreError], good: Collection[Path], taking: Collection[Path] = ()
    ) -> None:
        """Take in what a look at the home came to: folders that cannot be used, and those that perhaps can.

        Those which are ``taking`` callbacks go on, until their journal has to be read again.
        """
        for folder in [*self._kept]:
            unread = self._kept[folder].pause and folder in good
            if folder not in bad and not unread:
                self.back(folder)
        for folder, why in bad.items():
            where = "stored in it until it has to be read again" if folder in taking else WHERE
            self._set(folder, why, _Kept(), where)

    def unread(self, folder: Path, why: StoreError, now: float) -> None:
        """A batch could not be read."""
        pause = min(2 * self._kept.get(folder, _Kept()).pause or FIRST, MOST)
        self._set(folder, why, _Kept(pause, now + pause))

    def is_due(self, folder: Path, now: float) -> bool:
        """Whether a batch may be read."""
        return folder not in self._kept or now >= self._kept[folder].again

    def back(self, folder: Path) -> None:
        """It can be used, or is gone."""
        if self._kept.pop(folder, None):
            self._troubles.end(f"aside {folder}", f"{folder} is set aside no longer")

    def _set(self, folder: Path, why: StoreError, kept: _Kept, where: str = WHERE) -> None:
        self._kept[folder] = kept
        self._troubles.begin(f"aside {folder}", f"{folder} is set aside, callbacks are {where}: {why}", where)
