"""Which journal takes a callback: that of its batch, or, where the batch is not here, the inbox."""

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from mwbatch.callbacks.bounds import Bounds
from mwbatch.callbacks.refusal import Reason, Rejected
from mwbatch.core.facts import Seen
from mwbatch.errors import StoreError
from mwbatch.journal.disk import DISK, Disk
from mwbatch.journal.home import Home
from mwbatch.journal.measure import Commits
from mwbatch.journal.segment import Damage, Harm
from mwbatch.journal.segments import Segments

REFRESH: Final = 1.0
"""Seconds between two looks for new batches."""

WRITER: Final = "receiver"

_log = logging.getLogger("mwbatch.callbacks")


class Stores:
    """The journals of a home, opened once each. ``now`` is a monotonic clock in seconds."""

    def __init__(self, home: Home, *, disk: Disk = DISK, now: Callable[[], float] = time.monotonic) -> None:
        self._home, self._disk, self._now = home, disk, now
        self._batches: dict[str, Segments] = {}
        self._inboxes: dict[str, Segments] = {}
        self._bounds: dict[Path, tuple[Bounds, Bounds]] = {}
        self._opening = asyncio.Lock()
        self._looked_at = 0.0
        self.commits = Commits()
        """What the commits of all journals cost."""

    async def open(self) -> None:
        """Open every batch of the home and learn which answers it has.

        Raises:
            StoreError: a batch cannot be read, or stands there twice.
        """
        self._looked_at = self._now()
        for batch, folder in (await asyncio.to_thread(self._home.by_id)).items():
            self._batches[batch] = await self._opened(folder)

    async def of(self, batch: str) -> tuple[Segments, bool]:
        """The journal that takes callbacks of ``batch``, and whether it is the inbox.

        Raises:
            StoreError: it cannot be read.
        """
        if there := self._batches.get(batch):
            return there, False
        if (inbox := self._inboxes.get(batch)) and not self._is_due():
            return inbox, True
        async with self._opening:
            return await self._find(batch)

    async def keep(self, journal: Segments, seen: Seen) -> bool:
        """Make a callback durable in one of these journals; says whether it is new.

        Raises:
            Rejected: of its attempt, or of its task, as much is stored as ever will be.
            StoreError: it cannot be written.
        """
        bounds, place = (
            self._bounds[journal.folder][seen.answer is None],
            (seen.row, seen.attempt, seen.task_id),
        )
        # MUST NOT take room for a copy, also while the first one is on its way: another answer may need it this moment.
        copy = bounds.holds(*place) and journal.knows(seen)
        taken = not copy and bounds.take(*place)
        if not (copy or taken):
            raise Rejected(Reason.TOO_MANY)
        new = False
        try:
            [new] = await journal.append([seen])
        finally:
            if taken and not new:
                bounds.give_back(*place)
        return new

    async def folder(self, batch: str) -> Path:
        """The folder of that journal; raises as `of` does."""
        return (await self.of(batch))[0].folder

    async def close(self) -> StoreError | None:
        """Finish what was begun and release every file; returns the last failure, and logs each."""
        failure: StoreError | None = None
        for journal in self._all():
            try:
                await journal.close()
            except StoreError as error:
                _log.error("%s", error)
                failure = error
        return failure

    @property
    def backlog(self) -> int:
        """Bytes that wait to become durable."""
        return sum(journal.backlog for journal in self._all())

    @property
    def full(self) -> bool:
        """Whether a journal lacks space."""
        return any(journal.full for journal in self._all())

    async def probe(self) -> None:
        """Look for space where there was none."""
        for journal in self._all():
            if journal.full and await journal.probe():
                _log.warning("there is space again in %s", journal.folder)

    def _all(self) -> list[Segments]:
        return [*self._batches.values(), *self._inboxes.values()]

    def _is_due(self) -> bool:
        return self._now() - self._looked_at >= REFRESH

    async def _find(self, batch: str) -> tuple[Segments, bool]:
        """Look again, because another request may have opened it while this one waited for its turn."""
        # MUST look before an inbox is made: a batch may begin, and be answered, between two looks.
        due = batch not in self._batches and (batch not in self._inboxes or self._is_due())
        folder = await self._look(batch) if due else None
        if folder is not None:
            self._batches[batch] = await self._opened(folder)
            _log.info("batch %s appeared in %s", batch, folder)
        if there := self._batches.get(batch):
            return there, False
        if batch not in self._inboxes:
            self._inboxes[batch] = await self._opened(self._home.inbox(batch))
            _log.warning("batch %s is not here: its callbacks go to the inbox", batch)
        return self._inboxes[batch], True

    async def _look(self, batch: str) -> Path | None:
        self._looked_at = self._now()
        try:
            return (await asyncio.to_thread(self._home.by_id)).get(batch)
        except StoreError as error:
            # The inbox is as durable: a callback must not wait until somebody has mended another batch.
            _log.error("cannot look for batches: %s", error)
            return None

    async def _opened(self, folder: Path) -> Segments:
        journal = Segments(folder, WRITER, self._disk, self.commits)
        self._bounds[folder] = await asyncio.to_thread(_learned, journal)
        for damage in journal.damage:
            if damage.harm is Harm.DAMAGED:
                _log.error("%s", _words(damage))
            elif damage.harm is Harm.TORN:
                _log.warning("%s: never acknowledged, and passed over", _words(damage))
        return journal


def _learned(journal: Segments) -> tuple[Bounds, Bounds]:
    """Read a journal for what it has: answers, and callbacks that brought none. Blocks."""
    answers, bare = Bounds(), Bounds()
    journal.index(lambda kept: answers.take(kept.row, kept.attempt, kept.task_id))
    for seen in journal.bare_callbacks():
        bare.take(seen.row, seen.attempt, seen.task_id)
    return answers, bare


def _words(damage: Damage) -> str:
    return f"{damage.path} is {damage.harm} at byte {damage.offset}, {damage.size} bytes: {damage.reason}"
