"""Where facts about rows stand on disk, so that each can be read again when it is needed: 12 bytes a row."""

from array import array
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from mwbatch.core.facts.kinds import Fact, Planned, Seen
from mwbatch.core.spending.plan import precedence
from mwbatch.core.state.task_state import Answered, answered
from mwbatch.journal.segments.scan import Again

MOST_OPEN: Final = 16
"""Segments that are open at a time."""


class Places:
    """One place a row: a segment and a byte offset in it. For one thread at a time."""

    def __init__(self) -> None:
        self._files: list[Path] = []
        self._numbers: dict[Path, int] = {}
        self._file = array("i")
        self._offset = array("q")
        self._open: dict[int, Again] = {}

    def __bool__(self) -> bool:
        return bool(self._files)

    def __contains__(self, row: int) -> bool:
        return row < len(self._file) and self._file[row] != 0

    def note(self, row: int, path: Path, offset: int) -> None:
        """Keep the place of a row's fact, instead of one that was kept before."""
        if path not in self._numbers:
            self._files.append(path)
            self._numbers[path] = len(self._files)
        if (missing := row + 1 - len(self._file)) > 0:
            self._file.frombytes(bytes(self._file.itemsize * missing))
            self._offset.frombytes(bytes(self._offset.itemsize * missing))
        self._file[row], self._offset[row] = self._numbers[path], offset

    def forget(self, row: int) -> None:
        """Keep no place of a row any more."""
        if row in self:
            self._file[row] = 0

    def place(self, row: int) -> tuple[Path, int]:
        """The place of a row that has one."""
        return self._files[self._file[row] - 1], self._offset[row]

    def read(self, row: int) -> Fact | None:
        """Read the fact of a row from disk; None where no place was noted."""
        if row not in self:
            return None
        number = self._file[row]
        if number not in self._open:
            if len(self._open) == MOST_OPEN:
                self._open.clear()
            self._open[number] = Again(self._files[number - 1])
        return self._open[number].fact(self._offset[row])

    def release(self) -> None:
        """Close what was opened; what is read after that is opened anew."""
        self._open.clear()


class Plans(Places):
    """Where the plan that holds for each row stands: that of its latest edition."""

    def take(self, path: Path, offset: int, planned: Planned) -> None:
        """Note the place of a plan of a row, unless one is known that holds."""
        if planned.row in self:
            other = self.read(planned.row)
            assert isinstance(other, Planned)
            if precedence(planned) <= precedence(other):
                return
        self.note(planned.row, path, offset)

    def plan(self, row: int) -> Planned | None:
        """Read the plan of a row from disk; None where there is none."""
        fact = self.read(row)
        assert fact is None or isinstance(fact, Planned)
        return fact


class Answers(Places):
    """Where the answer that is shown for each row stands.

    The least of them, until `settle` is told what the fold says.
    """

    def __init__(self, placed: Iterable[tuple[Path, int, int]] = ()) -> None:
        super().__init__()
        self._rivals: dict[int, list[tuple[Path, int]]] = {}
        for path, offset, row in placed:
            self.take(path, offset, row)

    def take(self, path: Path, offset: int, row: int) -> None:
        """Note the place of an answer of a row, unless a lesser one is known."""
        if (other := self.answer(row)) is None:
            self.note(row, path, offset)
            return
        seen = _answer(path, offset)
        if row in self._rivals:
            self._rivals[row].append((path, offset))
        elif seen.task_id != other.task_id:
            self._rivals[row] = [self.place(row), (path, offset)]
        if answered(seen) < answered(other):
            self.note(row, path, offset)

    @property
    def disputed(self) -> bool:
        """Whether several tasks of a row have answers."""
        return bool(self._rivals)

    def settle(self, row: int, least: Answered) -> None:
        """Where several tasks of a row have answers, take the one that the fold has chosen."""
        for path, offset in self._rivals.get(row, ()):
            if answered(_answer(path, offset)) == least:
                self.note(row, path, offset)

    def answer(self, row: int) -> Seen | None:
        """Read the answer of a row from disk; None where there is none."""
        fact = self.read(row)
        assert fact is None or isinstance(fact, Seen)
        return fact


def _answer(path: Path, offset: int) -> Seen:
    fact = Again(path).fact(offset)
    assert isinstance(fact, Seen)
    return fact
