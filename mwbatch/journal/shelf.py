"""One folder of segments: facts of a kind lie together there, written by everyone in segments of their own."""

import errno
import os
import secrets
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mwbatch.core.facts import Fact
from mwbatch.core.lines import line, parse
from mwbatch.errors import DiskFull, Displaced, Poisoned, StoreError
from mwbatch.journal import One
from mwbatch.journal.disk import DISK, Disk
from mwbatch.journal.health import Damage
from mwbatch.journal.mark import Mark
from mwbatch.journal.measure import Commits
from mwbatch.journal.replacing import aside
from mwbatch.journal.segment import Segment, Taken, placed, read, segments_in

if TYPE_CHECKING:
    from asyncio import Future

    from mwbatch.journal.commit import Committer, Settled


class Shelf:
    """A folder of segments: reads all of them, writes one of its own."""

    def __init__(
        self,
        folder: Path,
        writer: str,
        disk: Disk = DISK,
        commits: Commits | None = None,
        base: Path | None = None,
    ) -> None:
        self.folder, self._writer, self._disk, self._commits = folder, writer, disk, commits
        self._base = base
        self._lacking = 0
        self._segment: Segment | None = None
        self._committer: Committer | None = None
        self._poison: Poisoned | None = None
        self._marks: dict[Path, Mark] = {}
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

    @property
    def written(self) -> tuple[Path, int] | None:
        """The segment that is written here and how many bytes of it are durable; None where there is none."""
        segment = self._segment
        return (segment.path, segment.size) if segment else None

    def begin(self, facts: Sequence[Fact], settled: "Settled") -> "Future[None]":
        """Make facts durable, in this order and together; see `Committer.begin`. What it raises itself is settled, too."""
        try:
            lines = b"".join(map(line, facts))
            if self._committer is None:
                from mwbatch.journal.commit import Committer  # noqa: PLC0415 (asyncio, as in `Segments`)

                self._committer = Committer(self._write, self.folder.name, self._commits)
            return self._committer.begin(lines, len(facts), settled)
        except Exception as error:
            settled(error)
            raise

    def _write(self, lines: bytes) -> None:
        """Write to the segment, made at the first call; once poisoned MUST NOT make another one."""
        if self._poison:
            raise Poisoned(str(self._poison))
        try:
            if self._segment is None:
                stand(self._base)
                self._segment = Segment(self.folder, self._writer, self._disk)
            self._segment.append(lines)
        except DiskFull as error:
            self._lacking = len(lines)
            if isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.EFBIG:
                self._seal()
            raise
        except Poisoned as error:
            self._poison = error
            raise
        self._lacking = 0

    def _seal(self) -> None:
        """Let the next lines go to another segment: this one can grow no more, although the disk has space."""
        segment, self._segment = self._segment, None
        if segment is not None:
            if segment.size and (mark := Mark.of(segment.path)):
                self._marks = self._marks | {segment.path: mark}
            segment.close()

    async def probe(self) -> None:
        """Where it was full, try whether what lacked space would fit now."""
        if self._lacking and self._committer is not None:
            await self._committer.between(self._try_space)

    def _try_space(self) -> None:
        """MUST NOT touch the segment, which belongs to the facts, and may be poisoned."""
        try:
            stand(self._base)
            self._disk.make_folder(self.folder)
            with aside(self.folder / "space", self._disk) as scratch:
                # Random, because zeros take no space on a file system that compresses.
                scratch.write(secrets.token_bytes(self._lacking))
                scratch.settle()
        except (OSError, StoreError):
            return
        self._lacking = 0

    def read(self) -> Iterator[Fact]:
        """Every fact of the folder, the oldest segment first; what cannot be used is noted."""
        damage = self.damage = []
        for path in segments_in(self.folder):
            yield from read(path, damage.append)

    def pass_to(self, take: Callable[[bytes], None]) -> None:
        """Let ``take`` have every line of the folder, in the same order; what it cannot use is noted."""
        damage = self.damage = []
        for path in segments_in(self.folder):
            deque(placed(path, damage.append, take), maxlen=0)

    def find(
        self, take: Callable[[bytes], Taken | None], among: Iterable[Path] | None = None
    ) -> Iterator[tuple[Path, int, Taken]]:
        """What ``take`` makes of some of the lines, with their segment and byte offset; damage is no matter here.

        Only the segments ``among`` which it is are read, where they are named.
        """
        return self._find(take, lambda _: None, among)

    def facts(self, kind: type[One]) -> Iterator[tuple[Path, int, One]]:
        """Every fact of a kind with its place; see `every`."""
        return ((path, offset, fact) for path, offset, fact in self.every(parse) if isinstance(fact, kind))

    def every(self, take: Callable[[bytes], Taken | None]) -> Iterator[tuple[Path, int, Taken]]:
        """As `find`; once all were read, `damage` is what cannot be used."""
        damage: list[Damage] = []
        yield from self._find(take, damage.append)
        self.damage = damage

    def _find(
        self,
        take: Callable[[bytes], Taken | None],
        report: Callable[[Damage], None],
        among: Iterable[Path] | None = None,
    ) -> Iterator[tuple[Path, int, Taken]]:
        for path in segments_in(self.folder) if among is None else among:
            for offset, taken in placed(path, report, take):
                if taken is not None:
                    yield path, offset, taken

    def durable(self, take: Callable[[bytes], Taken | None]) -> Iterator[Taken]:
        """What the disk has, whoever wrote it; only once this ends without an error all of it is durable."""
        try:
            self._disk.sync_folder(self.folder)
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreError(f"cannot sync {self.folder}: {error.strerror}") from error
        damage = self.damage = []
        self._marks.clear()
        for path in segments_in(self.folder):
            mark = Mark.of(path)  # MUST come first: what changes while it is read shows afterwards
            for _, taken in placed(path, damage.append, take, self._disk):
                if taken is not None:
                    yield taken
            if mark is not None and mark.size:  # its writer removes an empty one
                self._marks[path] = mark

    def stands(self) -> bool:
        """Whether everything that `durable` read, and what was written since, is there still: one look a segment. Blocks."""
        segment = self._segment
        return (segment is None or segment.stands) and all(
            mark.stands(path) for path, mark in self._marks.items()
        )

    async def close(self) -> None:
        """Finish the commit that runs, close the segment."""
        if self._committer is not None:
            await self._committer.close()
        if self._segment is not None:
            segment, self._segment = self._segment, None
            segment.close()


def stand(base: Path | None) -> None:
    """Raise `Displaced` where a base is gone: what is made in its place would be found by nobody once it is put back."""
    if base and not os.path.isdir(base):  # noqa: PTH112 (Path would raise where it cannot be looked at)
        raise Displaced(f"{base} is gone, or out of reach; see what became of it, start again")
