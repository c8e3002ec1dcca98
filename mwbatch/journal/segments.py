"""A journal in segments: the folder of one batch.

::

    rows/     planned                            the frozen manifest
    journal/  started, seen without an answer, failed, retried, withdrawn
    results/  seen with an answer                the results store

Each process that writes has segments of its own, at most one a folder, made at its first fact.
"""

import asyncio
import secrets
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from mwbatch.core.facts import Fact, Planned, Seen, identity, line
from mwbatch.errors import DiskFull, Poisoned, StoreError
from mwbatch.journal.commit import Committer
from mwbatch.journal.disk import DISK, Disk
from mwbatch.journal.measure import Commits
from mwbatch.journal.segment import Damage, Segment, placed, written_now

ROWS: Final = "rows"
JOURNAL: Final = "journal"
RESULTS: Final = "results"
FOLDERS: Final = (ROWS, JOURNAL, RESULTS)


def place(fact: Fact) -> str:
    """The folder in which a fact is kept."""
    if isinstance(fact, Planned):
        return ROWS
    return RESULTS if isinstance(fact, Seen) and fact.answer is not None else JOURNAL


class Shelf:
    """One folder of segments: reads all of them, writes one of its own."""

    def __init__(self, folder: Path, writer: str, disk: Disk = DISK, commits: Commits | None = None) -> None:
        self.folder, self._writer, self._disk, self._commits = folder, writer, disk, commits
        self._lacking = 0
        self._segment: Segment | None = None
        self._committer: Committer | None = None
        self._poison = ""
        self.damage: list[Damage] = []
        """What the last `read` could not use."""

    @property
    def backlog(self) -> int:
        """Bytes that wait to become durable."""
        return self._committer.backlog if self._committer else 0

    @property
    def full(self) -> bool:
        """Whether there was no space for the last commit, and none was found since."""
        return self._lacking > 0

    async def append(self, facts: Sequence[Fact]) -> None:
        """Make facts durable, in this order and together."""
        if self._committer is None:
            self._committer = Committer(self._write, self.folder.name, self._commits)
        await self._committer.append(b"".join(map(line, facts)), len(facts))

    def _write(self, lines: bytes) -> None:
        """Write to the segment, made at the first call; once poisoned MUST NOT make another one."""
        if self._poison:
            raise Poisoned(self._poison)
        try:
            if self._segment is None:
                self._segment = Segment(self.folder, self._writer, self._disk)
            self._segment.append(lines)
        except DiskFull:
            self._lacking = len(lines)
            raise
        except Poisoned as error:
            self._poison = str(error)
            raise
        self._lacking = 0

    async def probe(self) -> None:
        """Where it was full, try whether what lacked space would fit now."""
        if self._lacking and self._committer is not None:
            await self._committer.between(self._try_space)

    def _try_space(self) -> None:
        """MUST NOT touch the segment, which belongs to the facts, and may be poisoned."""
        scratch = self.folder / f".space-{secrets.token_hex(4)}"
        try:
            self._disk.make_folder(self.folder)
            # Random, because zeros take no space on a file system that compresses.
            self._disk.write_file(scratch, secrets.token_bytes(self._lacking))
            scratch.unlink()
        except OSError:
            return
        self._lacking = 0

    def read(self) -> Iterator[Fact]:
        """Read every segment of the folder, the oldest name first."""
        return (fact for _, _, fact in self.placed())

    def placed(self, proof: Disk | None = None) -> Iterator[tuple[Path, int, Fact]]:
        """The same, each fact with its segment and byte offset."""
        damage = self.damage = []
        for path in sorted(self.folder.glob("*.jsonl")):
            for offset, fact in placed(path, damage.append, proof):
                yield path, offset, fact

    def durable(self) -> Iterator[Fact]:
        """Read as the disk has it, whoever wrote it; only once this ends without an error all of it is durable."""
        try:
            self._disk.sync_folder(self.folder)
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreError(f"cannot sync {self.folder}: {error.strerror}") from error
        yield from (fact for _, _, fact in self.placed(self._disk))

    async def close(self) -> None:
        """Finish the commit that runs, close the segment."""
        if self._committer is not None:
            await self._committer.close()
        if self._segment is not None:
            segment, self._segment = self._segment, None
            segment.close()


class Segments:
    """The journal of one batch, in its folder.

    ``writer`` names who writes (``submit``, ``receiver`` …) in the names of the segments; ``commits`` counts what its
    commits cost.
    """

    def __init__(self, folder: Path, writer: str, disk: Disk = DISK, commits: Commits | None = None) -> None:
        self.folder = folder
        self._shelves = {name: Shelf(folder / name, writer, disk, commits) for name in FOLDERS}
        self._known: set[bytes] | None = None
        self._in_flight: dict[bytes, asyncio.Future[None]] = {}
        self._learning = asyncio.Lock()
        self._commits: set[asyncio.Task[None]] = set()

    @property
    def damage(self) -> list[Damage]:
        """What the last `read` could not use, whole folder."""
        return [damage for shelf in self._shelves.values() for damage in shelf.damage]

    @property
    def backlog(self) -> int:
        """Bytes that wait to become durable."""
        return sum(shelf.backlog for shelf in self._shelves.values())

    @property
    def full(self) -> bool:
        """Whether there was no space for something, and none was found since."""
        return any(shelf.full for shelf in self._shelves.values())

    async def probe(self) -> bool:
        """Look for space where there was none; whether it is there now."""
        for shelf in self._shelves.values():
            await shelf.probe()
        return not self.full

    def read(self) -> Iterator[Fact]:
        """Every fact of the batch: rows, then journal, then results."""
        for name in FOLDERS:
            yield from self._shelves[name].read()

    def read_rows(self) -> Iterator[Planned]:
        """The planned facts alone, in the order in which the rows were planned."""
        return (fact for fact in self._shelves[ROWS].read() if isinstance(fact, Planned))

    def read_journal(self) -> Iterator[Fact]:
        """Everything but the rows and the answers."""
        return self._shelves[JOURNAL].read()

    def read_answers(self) -> Iterator[Seen]:
        """The answers alone."""
        return (fact for fact in self._shelves[RESULTS].read() if isinstance(fact, Seen))

    def placed_answers(self) -> Iterator[tuple[Path, int, Seen]]:
        """The answers with their place, file and byte offset, where `read_at` finds each again."""
        for path, offset, fact in self._shelves[RESULTS].placed():
            if isinstance(fact, Seen):
                yield path, offset, fact

    def index(self) -> int:
        """Learn which answers are on disk, so that none is stored twice; returns how many. Blocks while it reads."""
        # MUST be proved: what a killed writer left in memory may never have reached the disk, and never will.
        keys = {key for fact in self._shelves[RESULTS].durable() if (key := identity(fact))}
        self._known = keys if self._known is None else self._known | keys
        return len(keys)

    async def _learn(self) -> None:
        """MUST read but once: what is committed while a second reading runs would be missing from the index."""
        async with self._learning:
            if self._known is None:
                await asyncio.to_thread(self.index)

    async def append(self, facts: Sequence[Fact]) -> list[bool]:
        """Make facts durable; an answer that is on disk, or on its way there, is not written again."""
        if self._known is None and any(place(fact) == RESULTS for fact in facts):
            await self._learn()
        loop = asyncio.get_running_loop()
        claimed: dict[bytes, asyncio.Future[None]] = {}
        fresh: defaultdict[str, list[Fact]] = defaultdict(list)
        others: list[asyncio.Future[None]] = []
        new: list[bool] = []
        for fact in facts:
            key = identity(fact)
            new.append(key is None or not (self._is_known(key) or key in self._in_flight))
            if new[-1]:
                fresh[place(fact)].append(fact)
            if key is not None and new[-1]:
                claimed[key] = self._in_flight[key] = loop.create_future()
            elif key is not None and key in self._in_flight and key not in claimed:
                others.append(self._in_flight[key])
        commit = asyncio.create_task(self._commit(fresh, claimed))
        self._commits.add(commit)
        commit.add_done_callback(self._commits.discard)
        await asyncio.shield(commit)
        for copy in others:
            await asyncio.shield(copy)
        return new

    def _is_known(self, key: bytes) -> bool:
        return self._known is not None and key in self._known

    async def _commit(self, fresh: dict[str, list[Fact]], claimed: dict[bytes, asyncio.Future[None]]) -> None:
        """Write, and only then let the index know: a later copy of what failed must be written itself."""
        try:
            for name, facts in fresh.items():
                await self._shelves[name].append(facts)
                if name == RESULTS:  # whatever becomes of the others
                    self._learn_of(claimed)
        except Exception as error:
            for key, copy in claimed.items():
                del self._in_flight[key]
                copy.set_exception(error)
                copy.exception()
            raise

    def _learn_of(self, claimed: dict[bytes, asyncio.Future[None]]) -> None:
        assert self._known is not None
        while claimed:
            key, copy = claimed.popitem()
            del self._in_flight[key]
            self._known.add(key)
            copy.set_result(None)

    def dead_segments(self) -> list[Path]:
        """The segments whose writers are gone, so that nothing is ever added to them."""
        paths = [path for shelf in self._shelves.values() for path in sorted(shelf.folder.glob("*.jsonl"))]
        return [path for path in paths if not written_now(path)]

    async def close(self) -> None:
        """Finish what was begun and release the files, all of them; raises the first error that this met."""
        if self._commits:
            await asyncio.wait(self._commits)
        errors: list[StoreError] = []
        for shelf in self._shelves.values():
            try:
                await shelf.close()
            except StoreError as error:
                errors.append(error)
        if errors:
            raise errors[0]


def segment_sizes(folder: Path) -> dict[str, int]:
    """The segments of a batch folder with their sizes in bytes, by their path below the folder."""
    return {
        str(path.relative_to(folder)): path.stat().st_size
        for name in FOLDERS
        for path in (folder / name).glob("*.jsonl")
    }


def damage_of(folder: Path) -> list[Damage]:
    """What cannot be used of the journal in a folder, which need not be there. Reads all of it."""
    if not folder.is_dir():
        return []
    journal = Segments(folder, "view")
    for _ in journal.read():
        pass
    return journal.damage
