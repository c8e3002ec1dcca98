"""A home in the memory of this process: the twin of a folder home, that tests and virtual time use.

Complete, and gone at its end.
"""

import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from mwbatch.core.codec.ids import Kid
from mwbatch.errors import NameTaken
from mwbatch.journal.home.written_files import digest
from mwbatch.journal.interface.batch_info import BatchInfo
from mwbatch.journal.interface.commit_times import Commits
from mwbatch.journal.interface.finding import meant
from mwbatch.journal.interface.naming import check_new
from mwbatch.journal.interface.open_batch import OpenBatch, acting
from mwbatch.journal.interface.ref import Ref, UnusableBatch
from mwbatch.journal.interface.store import Departed, in_use
from mwbatch.journal.keys.keyring import Keys
from mwbatch.journal.keys.keys_json import new_key, written_time
from mwbatch.journal.memory.batch import MemoryBelongings, MemoryContents, MemoryMailroom, MemoryTerm


class MemoryHome:
    """A `Store` whose batches live as long as it does."""

    where = "memory"

    def __init__(self) -> None:
        self.keys, self.written = MemoryKeys(), MemoryWritten()
        self._batches: dict[str, MemoryContents] = {}
        self._inboxes: dict[str, MemoryContents] = {}
        self._planning: list[MemoryPlanning] = []

    def batches(self) -> Iterator[Ref | UnusableBatch]:
        """All of them."""
        return iter([self._ref(name) for name in sorted(self._batches)])

    def _ref(self, name: str) -> Ref:
        info = self._batches[name].info
        assert info is not None
        return Ref(f"{self.where}/{name}", name, info)

    def find(self, batch: str) -> Ref:
        """The one that is meant."""
        return meant(batch, self.batches(), self.where)

    def check_new(self, name: str) -> None:
        """See that a new one may have this name."""
        check_new(name, self._batches)

    def create(self, info: BatchInfo) -> Ref:
        """Keep it."""
        self.check_new(info.name)
        if info.name in self._batches:
            raise NameTaken(f"batch {info.name} is there: name it with --batch, or another one")
        self._batches[info.name] = MemoryContents(info=info)
        return self._ref(info.name)

    def open(self, ref: Ref, writer: str = "view") -> OpenBatch:  # noqa: ARG002 (nobody asks who wrote)
        """Open it as it is now."""
        kept, there = self._batches[ref.name], self._ref(ref.name)
        inbox = self._inboxes.setdefault(there.info.batch_id, MemoryContents())
        return OpenBatch(self, there, MemoryBelongings(kept, inbox), kept.journal)

    @asynccontextmanager
    async def act(self, ref: Ref, verb: str) -> AsyncIterator[OpenBatch]:
        """Take its lock."""
        kept = self._batches[ref.name]
        if kept.holder is not None:
            raise in_use(ref.name, kept.holder.words)
        term = kept.holder = MemoryTerm(kept, ref.name, verb)
        try:
            async with acting(self.open(ref, verb), term) as opened:
                yield opened
        finally:
            if term.alive:
                kept.holder = None

    def holder(self, ref: Ref) -> str | None:
        """Who has its lock."""
        term = self._batches[ref.name].holder
        return term.words if term else None

    def take_away(self, ref: Ref) -> None:
        """Let nobody hold its lock any more, as where somebody removes what a folder home locks."""
        self._batches[ref.name].holder = None

    def planning(self) -> "MemoryPlanning":
        """The one turn that there is."""
        return MemoryPlanning(self._planning)

    # nothing is committed
    def mailroom(self, writer: str, commits: Commits) -> MemoryMailroom:  # noqa: ARG002
        """Batches and inboxes."""
        return MemoryMailroom(self._batches, self._inboxes)

    # nobody can take one away
    def departed(self, there: Iterable[Ref | UnusableBatch]) -> Departed | None:  # noqa: ARG002
        """None ever."""
        return None


class MemoryPlanning:
    """The turn of one who plans; ``turns`` has the one who has it."""

    blind = False

    def __init__(self, turns: "list[MemoryPlanning]") -> None:
        self._turns = turns

    def take(self) -> bool:
        """Take it, unless another one has it."""
        if not self._turns:
            self._turns.append(self)
        return self in self._turns

    def release(self) -> None:
        """Give it back."""
        if self in self._turns:
            self._turns.remove(self)


class MemoryKeys:
    """A keyring."""

    where = "memory"

    def __init__(self) -> None:
        self._keys: Keys | None = None

    def load(self) -> Keys | None:
        """As they are."""
        return self._keys

    def make(self) -> Keys:
        """With one, where there is none."""
        return self._keys or self.rotate(time.time())

    def rotate(self, at: float) -> Keys:
        """With another one."""
        keys = self._keys or Keys(())
        self._keys = keys.and_new(new_key(at, keys.kids))
        return self._keys

    def retire(self, kid: Kid, at: float) -> Keys:
        """Without one."""
        keys = self._keys or Keys(())
        self._keys = keys if keys.is_retired(kid) else keys.without(kid, written_time(at), self.where)
        return self._keys

    def mark(self) -> Keys | None:
        """The keys themselves: they never change."""
        return self._keys


class MemoryWritten:
    """What was written from here, by the digests of files and folders."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def note(self, *there: tuple[Path, Path]) -> None:
        """Keep the digest of each."""
        self._known.update(digest(now) for now, _ in there)

    def knows(self, path: Path) -> bool:
        """Whether it is one of them."""
        try:
            return digest(path) in self._known
        except OSError:
            return False

    def claims(self, path: Path) -> bool:  # noqa: ARG002 (memory has no paths)
        """No path ever."""
        return False
