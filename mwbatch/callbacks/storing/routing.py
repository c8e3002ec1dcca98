"""Which journal takes a callback: that of its batch, or, where the batch is not here, the inbox."""

import asyncio
import logging
import time
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Final, NamedTuple

from mwbatch.callbacks.common.limits import LIMITS
from mwbatch.callbacks.common.refusal import Reason, Rejected
from mwbatch.callbacks.common.troubles import Troubles
from mwbatch.callbacks.common.unusable_batches import UnusableBatches
from mwbatch.callbacks.storing.journal_sink import JournalSink
from mwbatch.core.facts.kinds import Fact, Seen
from mwbatch.errors import Displaced, StoreError
from mwbatch.journal.files.closing import in_thread
from mwbatch.journal.interface.batch_info import BatchInfo
from mwbatch.journal.interface.batches import each, info_of
from mwbatch.journal.interface.belongings import Mailbox
from mwbatch.journal.interface.commit_times import Commits
from mwbatch.journal.interface.health import Damage, DamageKind
from mwbatch.journal.interface.journal import Intake
from mwbatch.journal.interface.ref import Ref, UnusableBatch, usable
from mwbatch.journal.interface.store import Store

REFRESH: Final = 1.0
"""Seconds between two looks for new batches."""

WRITER: Final = "receiver"

_log = logging.getLogger("mwbatch.callbacks")


class StoredCallback(NamedTuple):
    """Whether a callback was new, whether the inbox has it, and the journal in which it is."""

    new: bool
    inbox: bool
    journal: Intake


Stored = Callable[[StoredCallback], object]
"""Hears of a callback that is new, once it is durable."""


class Routing:
    """The journals of a home, opened once each.

    ``backlog`` bounds the lines of one journal, in bytes, that wait for the disk; ``now`` is a monotonic
    clock in seconds.
    """

    def __init__(
        self,
        store: Store,
        *,
        backlog: int = LIMITS.backlog,
        troubles: Troubles | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._most, self._now = store, backlog, now
        self._troubles = troubles or Troubles()
        self._there: dict[str, JournalSink] = {}
        self._opening = asyncio.Lock()
        self._looked_at = 0.0
        self._left: dict[str, tuple[Hashable, ...]] = {}
        self.aside = UnusableBatches(self._troubles)
        """The batches that cannot be used."""
        self.commits = Commits()
        """What the commits of all journals cost."""
        self._room = store.mailroom(WRITER, self.commits)

    async def open(self) -> None:
        """Open every batch of the home that can be used, take its inbox in, and learn which answers it has.

        Raises:
            StoreError: the home cannot be looked into.
        """
        async with self._opening:
            for batch, ref in (await self._batches()).items():
                await self._take_up(batch, ref)
        await self._take_in_all()

    async def keep(self, batch: str, seen: Seen, stored: Stored = lambda _: None) -> StoredCallback:
        """Make a callback durable where it belongs.

        ``stored`` is told what this gives once a new one is, also when nobody waits for it any more. It MUST
        NOT raise.

        Raises:
            Rejected: of its attempt, or of its task, as much is stored as ever will be; or too much waits for
            the disk.
            StoreError: it cannot be written.
        """
        sink = await self._fitting(batch, seen)
        try:
            return await self._kept(batch, sink, seen, stored)
        except Rejected as rejected:
            if rejected.reason is not Reason.TOO_MANY or await sink.stands():
                raise
        await self._changed(batch, sink)
        return await self._kept(batch, await self._of(batch), seen, stored)

    async def _kept(self, batch: str, sink: JournalSink, seen: Seen, stored: Stored) -> StoredCallback:
        if sink.journal.backlog > self._most:
            raise Rejected(Reason.OVERLOADED)
        kept = StoredCallback(True, sink.mailbox.is_inbox, sink.journal)
        try:
            new = await sink.keep(seen, partial(stored, kept))
        except StoreError as error:
            if isinstance(error, Displaced) or not await sink.is_open():
                await self._let_go(batch, sink)
            raise
        return kept if new else kept._replace(new=False)

    async def mailbox(self, batch: str) -> Mailbox:
        """Where callbacks of a batch are put down; raises `StoreError` where it cannot be read."""
        return (await self._of(batch)).mailbox

    async def _fitting(self, batch: str, seen: Seen) -> JournalSink:
        """The journal for a callback. MUST NOT say that it is known there unless the disk has it now."""
        sink = await self._of(batch)
        if not sink.knows(seen):
            return sink
        if not await sink.stands():
            await self._changed(batch, sink)
        return await self._of(batch)  # it may be another one by now

    async def _of(self, batch: str) -> JournalSink:
        there = self._there.get(batch)
        # Others may wait here for a long time, until a large batch is read: the inbox is as durable.
        if there and not (there.mailbox.is_inbox and self._is_due() and not self._opening.locked()):
            return there
        async with self._opening:
            return await self._find(batch)

    async def close(self) -> StoreError | None:
        """Finish what was begun and release every file; returns the last failure, and logs each."""
        failure: StoreError | None = None
        for sink in self._there.values():
            try:
                await sink.mailbox.close()
            except StoreError as error:
                _log.error("%s", error)
                failure = error
        return failure

    @property
    def gone(self) -> str:
        """Why nothing can be stored at all, by the last look; empty where it can."""
        return self._room.gone

    @property
    def backlog(self) -> int:
        """Bytes that wait to become durable."""
        return sum(sink.journal.backlog for sink in self._there.values())

    @property
    def full(self) -> bool:
        """Whether a journal lacks space."""
        return any(sink.journal.health().full for sink in self._there.values())

    async def probe(self) -> None:
        """Look for space where there was none, for batches that can be used now, and into their inboxes."""
        for sink in [*self._there.values()]:
            if sink.journal.health().full and await sink.journal.probe():
                _log.warning("there is space again in %s", sink.mailbox.where)
        async with self._opening:
            for batch, ref in (await self._looked()).items():
                await self._take_up(batch, ref)
        await self._take_in_all()

    def _is_due(self) -> bool:
        return self._now() - self._looked_at >= REFRESH

    async def _find(self, batch: str) -> JournalSink:
        """Look again, because another request may have opened it while this one waited for its turn."""
        there = self._there.get(batch)
        # MUST look before an inbox is made: a batch may begin, and be answered, between two looks.
        if there is None or (there.mailbox.is_inbox and self._is_due()):
            if ref := (await self._looked()).get(batch):
                await self._take_up(batch, ref)
            there = self._there.get(batch)
        if there is None:
            if self.gone:
                raise StoreError(self.gone)
            there = self._there[batch] = await self._opened(batch)
            words = f"batch {batch} is not here: its callbacks go to the inbox"
            self._troubles.begin(f"absent {batch}", words, level=logging.WARNING)
        return there

    async def _looked(self) -> dict[str, Ref]:
        """The folders of the batches by their ids.

        None where nobody can tell, since callbacks must not wait for that.
        """
        try:
            return await self._batches()
        except StoreError as error:
            self._troubles.begin("home", f"cannot look for batches: {error}")
            return {}

    async def _batches(self) -> dict[str, Ref]:
        self._looked_at = self._now()
        looked = await in_thread(self._look)
        self._troubles.end("home", "looking for batches goes well again")
        bad = {one.where: info for one, info in looked if isinstance(info, StoreError)}
        good = {one.info.batch_id: one for one in usable(one for one, _ in looked) if one.where not in bad}
        taking = {sink.mailbox.where for sink in self._there.values()}
        self.aside.seen(bad, {ref.where for ref in good.values()}, taking)
        return good

    def _look(self) -> list[tuple[Ref | UnusableBatch, BatchInfo | StoreError]]:
        self._room.look()
        return list(each(self._store, info_of))

    async def _take_up(self, batch: str, ref: Ref) -> None:
        """Let callbacks of a batch go to it, unless they do already, or it cannot be read."""
        there = self._there.get(batch)
        if (there and not there.mailbox.is_inbox) or not self.aside.is_due(ref.where, self._now()):
            return
        try:
            sink = await self._opened(ref)
        except StoreError as error:
            self.aside.unread(ref.where, error, self._now())
            return
        if inbox := self._there.get(batch):
            await self._closed(batch, inbox)
        self._there[batch] = sink
        self.aside.back(ref.where)
        self._troubles.end(f"absent {batch}", f"batch {batch} is here: its callbacks go to {ref.where}")

    async def _changed(self, batch: str, sink: JournalSink) -> None:
        _log.error("%s was changed by somebody else: it is read again", sink.mailbox.where)
        await self._let_go(batch, sink)

    async def _let_go(self, batch: str, sink: JournalSink) -> None:
        """Open a journal anew at its next callback: what is known of it is not what the disk has."""
        async with self._opening:
            if self._there.get(batch) is sink:
                await self._closed(batch, sink)

    async def _closed(self, batch: str, sink: JournalSink) -> None:
        del self._there[batch]
        try:
            await sink.mailbox.close()
        except StoreError as error:  # whoever waited for it was told
            _log.error("%s", error)

    async def _opened(self, batch: Ref | str) -> JournalSink:
        """What takes callbacks of a batch that is here, or of one of which only the id is known."""
        sink = await in_thread(JournalSink.open, self._room.mailbox(batch))
        for damage in sink.journal.health().damage:
            if damage.kind is DamageKind.DAMAGED:
                _log.error("%s", _words(damage))
            elif damage.kind is DamageKind.TORN:
                _log.warning("%s: never acknowledged, and passed over", _words(damage))
        return sink

    async def _take_in_all(self) -> None:
        for batch in await in_thread(self._room.inboxes):
            sink = self._there.get(batch)
            if sink and not sink.mailbox.is_inbox:
                await self._take_in(batch, sink)

    async def _take_in(self, batch: str, sink: JournalSink) -> None:
        """Move what the inbox has into the batch: everything of it that nobody writes any more."""
        waiting, trouble = sink.mailbox.waiting, f"inbox {batch}"
        try:
            there = await in_thread(waiting)
            if there != self._left.get(batch, ()):
                await self._merge(batch, sink)
                self._left[batch] = await in_thread(waiting)
            self._troubles.end(trouble, f"batch {batch}: its inbox was taken in")
        except StoreError as error:
            self._troubles.begin(trouble, f"batch {batch}: its inbox stays as it is: {error}", type(error))
            if not await sink.stands():
                await self._let_go(batch, sink)

    async def _merge(self, batch: str, sink: JournalSink) -> None:
        async def keep(facts: Sequence[Fact]) -> int:
            if self._there.get(batch) is not sink:
                raise StoreError(f"{sink.mailbox.where} was changed meanwhile")
            new = await sink.journal.append(facts)
            for fact, is_new in zip(facts, new, strict=True):
                if is_new and isinstance(fact, Seen):
                    sink.count(fact)
            return sum(new)

        count = await sink.mailbox.take_in(keep)
        _log.info("batch %s: %d callbacks taken in from the inbox", batch, count)


def _words(damage: Damage) -> str:
    return f"{damage.where} is {damage.kind} at byte {damage.offset}, {damage.size} bytes: {damage.reason}"
