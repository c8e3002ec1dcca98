"""The three folders of a batch, and reading one.

Facts of a kind lie together there, written by everyone in segments of their own.

::

    rows/     planned                            the frozen manifest
    journal/  started, seen without an answer, failed, retried, withdrawn
    results/  seen with an answer                the results store

A segment that lies in another of the three, as somebody's restoring may leave it, is read as what its first
line is.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from mwbatch.core.facts.kinds import NAMES, Fact, Planned, Seen
from mwbatch.core.facts.lines import BadLine, parse
from mwbatch.errors import StoreError
from mwbatch.journal.files.disk import DISK, Disk, Mark, read_own
from mwbatch.journal.interface.health import Damage
from mwbatch.journal.interface.journal import One
from mwbatch.journal.segments.scan import Taken, placed, read, segments_in

ROWS: Final = "rows"
JOURNAL: Final = "journal"
RESULTS: Final = "results"
FOLDERS: Final = (ROWS, JOURNAL, RESULTS)


PLACES: Final = {kind: ROWS if kind is Planned else JOURNAL for kind in NAMES}
"""The folder in which a fact of each kind is kept, unless it is an answer."""


def place(fact: Fact) -> str:
    """The folder in which a fact is kept."""
    return RESULTS if isinstance(fact, Seen) and fact.answer is not None else PLACES[type(fact)]


def segments_of(batch: Path, name: str) -> list[Path]:
    """The segments of a batch that hold what is kept in one of its folders, wherever they lie;
    the oldest first.

    Raises as `segments_in`.
    """
    there = [(path, lies) for lies in FOLDERS for path in segments_in(batch / lies)]
    return sorted((path for path, lies in there if _kind(path, lies) == name), key=lambda path: path.name)


def _kind(path: Path, lies: str) -> str:
    """The folder for what a segment holds, by its first line;
    that in which it ``lies`` where none can be read.
    """
    try:
        with read_own(path) as file:
            return place(parse(file.readline().removesuffix(b"\n")))
    except (OSError, BadLine):  # who reads all of it says what is wrong
        return lies


class Folder:
    """A folder of segments, to be read, whoever writes them."""

    def __init__(self, path: Path, disk: Disk = DISK) -> None:
        self.path, self._disk = path, disk
        self._marks: dict[Path, Mark] = {}
        self.damage: list[Damage] = []
        """What the last reading of all of it could not use."""

    def segments(self) -> list[Path]:
        """The segments, the oldest first."""
        return segments_of(self.path.parent, self.path.name)

    def read(self) -> Iterator[Fact]:
        """Every fact, the oldest segment first; what cannot be used is noted."""
        damage = self.damage = []
        for path in self.segments():
            yield from read(path, damage.append)

    def find(
        self, take: Callable[[bytes], Taken | None], among: Iterable[Path] | None = None
    ) -> Iterator[tuple[Path, int, Taken]]:
        """What ``take`` makes of some of the lines, with their segment and byte offset.

        Damage is no matter here.

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
        for path in self.segments() if among is None else among:
            for offset, taken in placed(path, report, take):
                if taken is not None:
                    yield path, offset, taken

    def durable(self, take: Callable[[bytes], Taken | None]) -> Iterator[Taken]:
        """What the disk has, whoever wrote it; only once this ends without an error all of it is durable."""
        try:
            self._disk.sync_folder(self.path)
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreError(f"cannot sync {self.path}: {error.strerror}") from error
        damage = self.damage = []
        self._marks.clear()
        for path in self.segments():
            mark = Mark.of(path)  # MUST come first: what changes while it is read shows afterwards
            for _, taken in placed(path, damage.append, take, self._disk):
                if taken is not None:
                    yield taken
            if mark is not None and mark.size:  # its writer removes an empty one
                self._marks[path] = mark

    def stands(self) -> bool:
        """Whether everything that `durable` read is there still: one look a segment. Blocks."""
        return all(mark.stands(path) for path, mark in self._marks.items())
