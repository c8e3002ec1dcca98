"""Where facts about rows stand on disk, so that each can be read again when it is needed: 12 bytes a row."""

from array import array
from collections.abc import Iterable
from pathlib import Path

from mwbatch.core.facts import Fact, Seen
from mwbatch.core.fold import answered
from mwbatch.journal.segment import read_at


class Places:
    """One place a row: a segment and a byte offset in it."""

    def __init__(self) -> None:
        self._files: list[Path] = []
        self._numbers: dict[Path, int] = {}
        self._file = array("i")
        self._offset = array("q")

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

    def read(self, row: int) -> Fact | None:
        """Read the fact of a row from disk; None where no place was noted."""
        if row not in self:
            return None
        return read_at(self._files[self._file[row] - 1], self._offset[row])


class Answers(Places):
    """Where the answer that is shown for each row stands: the least of them, as in the fold."""

    def __init__(self, placed: Iterable[tuple[Path, int, Seen]] = ()) -> None:
        super().__init__()
        for path, offset, seen in placed:
            self.take(path, offset, seen)

    def take(self, path: Path, offset: int, seen: Seen) -> None:
        """Note an answer, unless a lesser one of its row is known."""
        other = self.answer(seen.row)
        if other is None or answered(seen) < answered(other):
            self.note(seen.row, path, offset)

    def answer(self, row: int) -> Seen | None:
        """Read the answer of a row from disk; None where there is none."""
        fact = self.read(row)
        assert fact is None or isinstance(fact, Seen)
        return fact
