"""The rows of a batch by number: nearly all of them in columns, the few others as objects."""

from collections.abc import Callable, ItemsView, Iterator, Mapping
from heapq import merge
from typing import Final, cast

from mwbatch.core.codec.ids import RowNumber
from mwbatch.core.state.codes import DETACHED, Question
from mwbatch.core.state.columns import Columns, Holders
from mwbatch.core.state.row_status import Row

GAP: Final = 1 << 20
"""How far beyond the last row a number may lie and still have room made in the columns."""


class Rows(Mapping[int, Row]):
    """Every row that a fact has named. A row in columns is made when it is asked for: a look, no handle.

    ``holders`` knows the first row at which each task was shown, and ``detached`` has the rows that are
    objects.
    """

    def __init__(self) -> None:
        self.holders = Holders(self._has)
        self.columns = Columns(self.holders)
        self.detached: dict[int, Row] = {}

    def __getitem__(self, number: int) -> Row:
        if number not in self:
            raise KeyError(number)
        return self.row(number)

    def __contains__(self, number: object) -> bool:
        codes = self.columns.codes
        if number in self.detached:
            return True
        return isinstance(number, int) and 0 <= number < len(codes) and codes[number] != 0

    def __iter__(self) -> Iterator[int]:
        in_columns = (n for n, code in enumerate(self.columns.codes) if code and code != DETACHED)
        return merge(in_columns, sorted(self.detached))

    def __len__(self) -> int:
        codes = self.columns.codes
        return len(codes) - codes.count(0) - codes.count(DETACHED) + len(self.detached)

    def row(self, number: int) -> Row:
        """The row with this number; an empty one where no fact has named it."""
        if (row := self.detached.get(number)) is not None:
            return row
        return self.columns.row(number) if number < len(self.columns.codes) else Row()

    def lift(self, number: int) -> Row:
        """The row as an object that facts may join: taken out of the columns if it was there."""
        if (row := self.detached.get(number)) is None:
            row = self.detached[number] = self.row(number)
            if number < len(self.columns.codes):
                self.columns.codes[number] = DETACHED
        return row

    def reaches(self, size: int) -> bool:
        """Whether the columns hold rows below ``size``, which they are made to where that is not too far."""
        codes = self.columns.codes
        before = len(codes)
        if size > before + GAP:
            return False
        if size > before:
            self.columns.grow(size)
            for number in self.detached:
                if before <= number < len(codes):
                    codes[number] = DETACHED
        return True

    def ask(self, question: Question, number: int) -> int:
        """What one row answers, be it named or not; no object is made to see it."""
        codes = self.columns.codes
        if number < len(codes) and codes[number] != DETACHED:
            return question.table[codes[number]]
        return question(self.detached.get(number) or Row())

    def count(self, question: Question) -> int:
        """What all rows answer, in sum."""
        said = self.columns.codes.translate(question.table)
        in_columns = sum(n * said.count(n) for n in range(1, max(question.table) + 1))
        return in_columns + sum(map(question, self.detached.values()))

    def numbers(self, question: Question, answer: int = 1, first: int = 0) -> Iterator[RowNumber]:
        """The numbers of the rows from ``first`` on that give an answer, ascending, as the walk begins."""
        detached = sorted(n for n, row in self.detached.items() if n >= first and question(row) == answer)
        in_columns = self.in_columns(question, answer, first)
        yield from cast("Iterator[RowNumber]", merge(in_columns, detached)) if detached else in_columns

    def in_columns(self, question: Question, answer: int = 1, first: int = 0) -> Iterator[RowNumber]:
        """Those of them that are in columns, from ``first`` on."""
        return cast("Iterator[RowNumber]", self._straight(question, answer, first))

    def objects(self) -> ItemsView[RowNumber, Row]:
        """Those that are objects, by their numbers, as they are while it is read."""
        return cast("ItemsView[RowNumber, Row]", self.detached.items())

    def _straight(self, question: Question, answer: int, first: int) -> Iterator[int]:
        said = self.columns.codes.translate(question.table)
        number = said.find(answer, first)
        while number >= 0:
            yield number
            number = said.find(answer, number + 1)

    def told(self, question: Question) -> Callable[[int], bool]:
        """Tells of each number whether that row says yes, as it is now: any thread may ask, at any time."""
        said = self.columns.codes.translate(question.table)
        others = frozenset(number for number, row in self.detached.items() if question(row))
        return lambda number: (number < len(said) and said[number] == 1) or number in others

    def _has(self, number: int, task_id: bytes) -> bool:
        """Whether a row has a task of this id."""
        if (row := self.detached.get(number)) is not None:
            return task_id.decode("utf-8", "surrogatepass") in row.tasks
        return self.columns.has(number, task_id)
