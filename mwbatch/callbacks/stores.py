"""Which journal takes a callback: that of its batch, or, where the batch is not here, the inbox."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from mwbatch.callbacks.aside import Aside
from mwbatch.callbacks.footing import Footing
from mwbatch.callbacks.limits import LIMITS
from mwbatch.callbacks.refusal import Reason, Rejected
from mwbatch.callbacks.store import Store
from mwbatch.callbacks.troubles import Troubles
from mwbatch.core.facts import Fact, Seen
from mwbatch.errors import Displaced, StoreError
from mwbatch.journal import Intake
from mwbatch.journal.batches import card_of, each
from mwbatch.journal.card import Card
from mwbatch.journal.disk import DISK, Disk
from mwbatch.journal.folders import FOLDERS
from mwbatch.journal.health import Damage, Harm
from mwbatch.journal.home import Home
from mwbatch.journal.inbox import inboxes, merge
from mwbatch.journal.measure import Commits
from mwbatch.journal.own import stand
from mwbatch.journal.scan import segments_in, written_now
from mwbatch.journal.segments import Segments

REFRESH: Final = 1.0
"""Seconds between two looks for new batches."""

WRITER: Final = "receiver"

_log = logging.getLogger("mwbatch.callbacks")


class Kept(NamedTuple):
    """Whether a callback was new, whether the inbox has it, and the journal in which it is."""

    new: bool
    inbox: bool
    journal: Intake


class Stores:
    """The journals of a home, opened once each.

    ``backlog`` bounds the lines of one journal, in bytes, that wait for the disk; ``now`` is a monotonic clock in seconds.
    """

    def __init__(
        self,
        home: Home,
        *,
        backlog: int = LIMITS.backlog,
        troubles: Troubles | None = None,
        disk: Disk = DISK,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._home, self._most, self._disk, self._now = home, backlog, disk, now
        self._troubles = troubles or Troubles()
        self._there: dict[str, Store] = {}
        self._opening = asyncio.Lock()
        self._looked_at = 0.0
        self.footing = Footing(home)
        """Whether there is a home to store anything in."""
        self._left: dict[str, list[Path]] = {}
        self.aside = Aside(self._troubles)
        """The batches that cannot be used."""
        self.commits = Commits()
        """What the commits of all journals cost."""

    async def open(self) -> None:
        """Open every batch of the home that can be used, take its inbox in, and learn which answers it has.

        Raises:
            StoreError: the home cannot be looked into.
        """
        async with self._opening:
            for batch, folder in (await self._batches()).items():
                await self._take_up(batch, folder)
        await self._take_in_all()

    async def keep(self, batch: str, seen: Seen) -> Kept:
        """Make a callback durable where it belongs.

        Raises:
            Rejected: of its attempt, or of its task, as much is stored as ever will be; or too much waits for the disk.
            StoreError: it cannot be written.
        """
        store = await self._fitting(batch, seen)
        try:
            return await self._kept(batch, store, seen)
        except Rejected as rejected:
            if rejected.reason is not Reason.TOO_MANY or await store.stands():
                raise
        await self._changed(batch, store)
        return await self._kept(batch, await self._of(batch), seen)

    async def _kept(self, batch: str, store: Store, seen: Seen) -> Kept:
        if store.journal.backlog > self._most:
            raise Rejected(Reason.OVERLOADED)
        try:
            new = await store.keep(seen)
        except StoreError as error:
            if isinstance(error, Displaced) or not await store.is_open():
                await self._let_go(batch, store)
            raise
        return Kept(new, store.is_inbox, store.journal)

    async def folder(self, batch: str) -> Path:
        """The folder of the journal that takes callbacks of a batch, or will make it; raises `StoreError` where none does."""
        store = await self._of(batch)
        stand(self._base(store.folder, is_inbox=store.is_inbox))
        return store.folder

    async def _fitting(self, batch: str, seen: Seen) -> Store:
        """The journal for a callback. MUST NOT say that it is known there unless the disk has it now."""
        store = await self._of(batch)
        if not store.journal.knows(seen):
            return store
        if not await store.stands():
            await self._changed(batch, store)
        return await self._of(batch)  # it may be another one by now

    async def _of(self, batch: str) -> Store:
        there = self._there.get(batch)
        # Others may wait here for a long time, until a large batch is read: the inbox is as durable.
        if there and not (there.is_inbox and self._is_due() and not self._opening.locked()):
            return there
        async with self._opening:
            return await self._find(batch)

    async def close(self) -> StoreError | None:
        """Finish what was begun and release every file; returns the last failure, and logs each."""
        failure: StoreError | None = None
        for store in self._there.values():
            try:
                await store.journal.close()
            except StoreError as error:
                _log.error("%s", error)
                failure = error
        return failure

    @property
    def backlog(self) -> int:
        """Bytes that wait to become durable."""
        return sum(store.journal.backlog for store in self._there.values())

    @property
    def full(self) -> bool:
        """Whether a journal lacks space."""
        return any(store.journal.health().full for store in self._there.values())

    async def probe(self) -> None:
        """Look for space where there was none, for batches that can be used now, and for what waits in their inboxes."""
        for store in [*self._there.values()]:
            if store.journal.health().full and await store.journal.probe():
                _log.warning("there is space again in %s", store.journal.where)
        async with self._opening:
            for batch, folder in (await self._looked()).items():
                await self._take_up(batch, folder)
        await self._take_in_all()

    def _is_due(self) -> bool:
        return self._now() - self._looked_at >= REFRESH

    async def _find(self, batch: str) -> Store:
        """Look again, because another request may have opened it while this one waited for its turn."""
        there = self._there.get(batch)
        # MUST look before an inbox is made: a batch may begin, and be answered, between two looks.
        if there is None or (there.is_inbox and self._is_due()):
            if folder := (await self._looked()).get(batch):
                await self._take_up(batch, folder)
            there = self._there.get(batch)
        if there is None:
            if self.footing.gone:
                raise StoreError(self.footing.gone)
            there = self._there[batch] = await self._opened(self._home.inbox(batch), is_inbox=True)
            words = f"batch {batch} is not here: its callbacks go to the inbox"
            self._troubles.begin(f"absent {batch}", words, level=logging.WARNING)
        return there

    async def _looked(self) -> dict[str, Path]:
        """The folders of the batches by their ids; none where nobody can tell, since callbacks must not wait for that."""
        try:
            return await self._batches()
        except StoreError as error:
            self._troubles.begin("home", f"cannot look for batches: {error}")
            return {}

    async def _batches(self) -> dict[str, Path]:
        self._looked_at = self._now()
        looked = await asyncio.to_thread(self._look)
        self._troubles.end("home", "looking for batches goes well again")
        bad = {folder: card for folder, card in looked if isinstance(card, StoreError)}
        good = {card.batch_id: folder for folder, card in looked if not isinstance(card, StoreError)}
        self.aside.seen(bad, good.values(), {store.folder for store in self._there.values()})
        return good

    def _look(self) -> list[tuple[Path, Card | StoreError]]:
        self.footing.look()
        return list(each(self._home, card_of))

    async def _take_up(self, batch: str, folder: Path) -> None:
        """Let callbacks of a batch go to its folder, unless they do already, or it cannot be read."""
        there = self._there.get(batch)
        if (there and not there.is_inbox) or not self.aside.is_due(folder, self._now()):
            return
        try:
            store = await self._opened(folder, is_inbox=False)
        except StoreError as error:
            self.aside.unread(folder, error, self._now())
            return
        if inbox := self._there.get(batch):
            await self._closed(batch, inbox)
        self._there[batch] = store
        self.aside.back(folder)
        self._troubles.end(f"absent {batch}", f"batch {batch} is here: its callbacks go to {folder}")

    async def _changed(self, batch: str, store: Store) -> None:
        _log.error("%s was changed by somebody else: it is read again", store.journal.where)
        await self._let_go(batch, store)

    async def _let_go(self, batch: str, store: Store) -> None:
        """Open a journal anew at its next callback: what is known of it is not what the disk has."""
        async with self._opening:
            if self._there.get(batch) is store:
                await self._closed(batch, store)

    async def _closed(self, batch: str, store: Store) -> None:
        del self._there[batch]
        try:
            await store.journal.close()
        except StoreError as error:  # whoever waited for it was told
            _log.error("%s", error)

    async def _opened(self, folder: Path, *, is_inbox: bool) -> Store:
        journal = Segments(
            folder, WRITER, self._disk, self.commits, base=self._base(folder, is_inbox=is_inbox)
        )
        store = await asyncio.to_thread(lambda: Store.open(folder, journal, is_inbox=is_inbox))
        for damage in journal.health().damage:
            if damage.harm is Harm.DAMAGED:
                _log.error("%s", _words(damage))
            elif damage.harm is Harm.TORN:
                _log.warning("%s: never acknowledged, and passed over", _words(damage))
        return store

    def _base(self, folder: Path, *, is_inbox: bool) -> Path | None:
        """Below what folders may be made: a batch and the home, made anew, would be found by nobody once they are put back."""
        if is_inbox:
            return self._home.path if self.footing.known else None
        return folder

    async def _take_in_all(self) -> None:
        for batch in await asyncio.to_thread(inboxes, self._home.path):
            store = self._there.get(batch)
            if store and not store.is_inbox:
                await self._take_in(batch, store)

    async def _take_in(self, batch: str, store: Store) -> None:
        """Move what the inbox has into the batch: everything of it that nobody writes any more."""
        inbox, trouble = self._home.inbox(batch), f"inbox {batch}"
        try:
            done = await asyncio.to_thread(_done, inbox)
            if done != self._left.get(batch, []):
                await self._merge(inbox, batch, store)
                self._left[batch] = await asyncio.to_thread(_done, inbox)
            self._troubles.end(trouble, f"batch {batch}: its inbox was taken in")
        except StoreError as error:
            self._troubles.begin(trouble, f"batch {batch}: its inbox stays as it is: {error}", type(error))
            if not await store.stands():
                await self._let_go(batch, store)

    async def _merge(self, inbox: Path, batch: str, store: Store) -> None:
        async def keep(facts: Sequence[Fact]) -> int:
            if self._there.get(batch) is not store:
                raise StoreError(f"{store.journal.where} was changed meanwhile")
            new = await store.journal.append(facts)
            for fact, is_new in zip(facts, new, strict=True):
                if is_new and isinstance(fact, Seen):
                    store.count(fact)
            return sum(new)

        count = await merge(inbox, store.folder, store.journal, keep)
        _log.info("batch %s: %d callbacks taken in from the inbox", batch, count)


def _done(inbox: Path) -> list[Path]:
    """The segments of an inbox that nobody writes."""
    return [path for name in FOLDERS for path in segments_in(inbox / name) if not written_now(path)]


def _words(damage: Damage) -> str:
    return f"{damage.where} is {damage.harm} at byte {damage.offset}, {damage.size} bytes: {damage.reason}"
