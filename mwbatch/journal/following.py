"""Reading on: what was written to a batch since the last look, without reading anything twice."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mwbatch.core.facts import BadLine, Fact, Planned, Seen, UnknownFact, parse
from mwbatch.core.fold import Status
from mwbatch.core.labels import label
from mwbatch.core.text import Json
from mwbatch.errors import StoreError
from mwbatch.journal.opened import Opened
from mwbatch.journal.places import Answers, Places
from mwbatch.journal.segments import JOURNAL, RESULTS, ROWS

_MARK: Final = 20
"""So many bytes before the place where reading ended, a checksum among them, tell whether the file is still the same."""


class Tail:
    """One segment, read on from where the last look ended; a line that is not whole yet waits for the next look."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._end, self._mark = 0, b""

    def read(self) -> Iterator[tuple[int, Fact]]:
        """The facts that are new, each with its byte offset; bytes that are no fact are passed over.

        Raises:
            StoreError: the file cannot be read, or holds a fact of a version that this code does not know.
        """
        try:
            with self.path.open("rb") as file:
                # A writer whose disk was full cuts off what it had written, and writes other lines there.
                file.seek(self._end - len(self._mark))
                if file.read(len(self._mark)) != self._mark:
                    self._end = file.seek(0)
                for text in file:
                    if not text.endswith(b"\n"):
                        return
                    offset, self._end, self._mark = self._end, self._end + len(text), text[-_MARK:]
                    if (fact := self._fact(offset, text[:-1])) is not None:
                        yield offset, fact
        except FileNotFoundError:  # its writer removes a segment in which nothing was written
            return
        except OSError as error:
            raise StoreError(f"cannot read {self.path}: {error.strerror}") from error

    def _fact(self, offset: int, text: bytes) -> Fact | None:
        try:
            return parse(text)
        except UnknownFact as error:
            raise StoreError(f"{self.path} at byte {offset}: {error}") from None
        except BadLine:  # `status` and `reconcile` tell of damage
            return None


class Follower:
    """Keeps the state of a batch in step with its folder, and gives each completed row once.

    ``opened`` has an empty state: the first look reads everything.
    """

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._tails: dict[Path, Tail] = {}
        self._plans, self._answers = Places(), Answers()
        self._told = bytearray()
        self._arrived: list[int] = []
        self.quiet = False
        """Whether the last look found nothing new."""

    def look(self) -> Iterator[dict[str, Json]]:
        """The rows that were completed since the last look, in the order in which their answers came. Blocks."""
        self.quiet = True
        for path in self._segments():
            for offset, fact in self._tails.setdefault(path, Tail(path)).read():
                self.quiet = False
                self._take(path, offset, fact)
        arrived, self._arrived = self._arrived, []
        for row in arrived:
            if not self._told[row]:
                yield from self._line(row)

    def _segments(self) -> Iterator[Path]:
        for name in (RESULTS, JOURNAL, ROWS):
            yield from sorted((self._opened.folder / name).glob("*.jsonl"))

    def _take(self, path: Path, offset: int, fact: Fact) -> None:
        self._opened.state.add(fact)
        if isinstance(fact, Planned):
            self._plans.note(fact.row, path, offset)
        elif isinstance(fact, Seen) and fact.answer is not None:
            self._answers.take(path, offset, fact)
            self._arrived.append(fact.row)
            self._told.extend(bytes(max(0, fact.row + 1 - len(self._told))))

    def _line(self, row: int) -> Iterator[dict[str, Json]]:
        """The line of a completed row; none while the row itself is not on disk, of which the next look learns."""
        planned, state = self._plans.read(row), self._opened.state.row(row)
        if not isinstance(planned, Planned) or state.status is not Status.COMPLETED:
            self._arrived.append(row)
            return
        self._told[row] = 1
        yield label(self._opened.card.name, planned, state, self._answers.answer(row))
