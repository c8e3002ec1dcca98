"""The completed rows of a batch, each once, as their answers come."""

from collections.abc import Iterator
from pathlib import Path

from mwbatch.core.facts import Fact, Planned, Seen
from mwbatch.core.fold import Status
from mwbatch.core.labels import label
from mwbatch.core.lines import parse
from mwbatch.core.text import Json
from mwbatch.journal.opened import Opened
from mwbatch.journal.places import Answers, Plans
from mwbatch.journal.segment import segments_in
from mwbatch.journal.segments import JOURNAL, RESULTS, ROWS
from mwbatch.journal.tail import Tail


class Follower:
    """Keeps the state of a batch in step with its folder, and gives each completed row once.

    ``opened`` has an empty state: the first look reads everything.
    """

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._tails: dict[Path, Tail] = {}
        self._plans, self._answers = Plans(), Answers()
        self._told = bytearray()
        self._arrived: list[int] = []
        self.quiet = False
        """Whether the last look found nothing new."""

    def look(self) -> Iterator[dict[str, Json]]:
        """The rows that were completed since the last look, in the order in which their answers came. Blocks."""
        self.quiet = True
        for path in self._segments():
            for offset, fact in self._tails.setdefault(path, Tail(path)).read(parse):
                self.quiet = False
                self._take(path, offset, fact)
        arrived, self._arrived = self._arrived, []
        for row in arrived:
            if not self._told[row]:
                yield from self._line(row)

    def _segments(self) -> Iterator[Path]:
        for name in (RESULTS, JOURNAL, ROWS):
            yield from segments_in(self._opened.folder / name)

    def _take(self, path: Path, offset: int, fact: Fact) -> None:
        self._opened.state.add(fact)
        if isinstance(fact, Planned):
            self._plans.take(path, offset, fact)
        elif isinstance(fact, Seen) and fact.answer is not None:
            self._answers.take(path, offset, fact.row)
            self._arrived.append(fact.row)
            self._told.extend(bytes(max(0, fact.row + 1 - len(self._told))))

    def _line(self, row: int) -> Iterator[dict[str, Json]]:
        """The line of a completed row; none while the row itself is not on disk, of which the next look learns."""
        planned, state = self._plans.plan(row), self._opened.state.row(row)
        if planned is None or state.status is not Status.COMPLETED:
            self._arrived.append(row)
            return
        self._told[row] = 1
        if state.kept is not None:
            self._answers.settle(row, state.kept.least)
        yield label(self._opened.card.name, planned, state, self._answers.answer(row))
