"""What others write to a batch's folder: rows as their answers come, and tasks as they are recorded."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.facts.kinds import Fact, Planned, Seen
from mwbatch.core.facts.line_patterns import named_task
from mwbatch.core.facts.lines import parse
from mwbatch.core.state.batch import Batch
from mwbatch.core.state.row_status import Status
from mwbatch.errors import StoreError
from mwbatch.journal.segments.offsets import Answers, Plans
from mwbatch.journal.segments.tail import Tail


class News:
    """Keeps the state of a batch in step with some of its folders, and gives each completed row once."""

    def __init__(self, folder: Path, names: tuple[str, ...], state: Batch) -> None:
        self._tail, self._state = Tail(folder, names, parse), state
        self._plans, self._answers = Plans(), Answers()
        self._told = bytearray()
        self._arrived: list[int] = []
        self.quiet = False
        """Whether the last look found nothing new."""

    def look(self) -> Iterator[tuple[Planned, Seen]]:
        """The rows that were completed since the last look, as their answers came. Blocks."""
        self.quiet = True
        for path, offset, fact in self._tail.look():
            self.quiet = False
            self._take(path, offset, fact)
        arrived, self._arrived = self._arrived, []
        for row in arrived:
            if not self._told[row]:
                yield from self._completed(row)

    def _take(self, path: Path, offset: int, fact: Fact) -> None:
        self._state.add(fact)
        if isinstance(fact, Planned):
            self._plans.take(path, offset, fact)
        elif isinstance(fact, Seen) and fact.answer is not None:
            self._answers.take(path, offset, fact.row)
            self._arrived.append(fact.row)
            self._told.extend(bytes(max(0, fact.row + 1 - len(self._told))))

    def _completed(self, row: int) -> Iterator[tuple[Planned, Seen]]:
        """A completed row; none while the row itself is not on disk, of which the next look learns."""
        planned, state = self._plans.plan(row), self._state.row(row)
        if planned is None or state.status is not Status.COMPLETED:
            self._arrived.append(row)
            return
        self._told[row] = 1
        if state.kept is not None:
            self._answers.settle(row, state.kept.least)
        if (answer := self._answers.answer(row)) is not None:
            yield planned, answer


class Tasks:
    """Which tasks were recorded, at a small part of what reading costs: checksums are not looked at."""

    def __init__(self, folder: Path, name: str) -> None:
        self._tail = Tail(folder, (name,), named_task)

    def look(self) -> Iterator[tuple[RowNumber, Attempt, bytes]]:
        """Row, attempt and task (as JSON) of each recorded since the last look. Blocks."""
        with suppress(StoreError):  # whoever needs the file tells of what is wrong with it
            yield from (named for *_, named in self._tail.look() if named is not None)
