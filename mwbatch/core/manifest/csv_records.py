"""CSV records with the line each begins on, from lines that arrive in portions.

The parser of the standard library pulls its lines and knows nothing of portions; a record that is cut off by
the end of one is given back and read again with the next. How much is read again is bounded, so that time
stays linear in the file: an open record waits until it has doubled, and where too many quotes are never
closed, reading stops.
"""

import csv
from collections import deque
from collections.abc import Iterator
from typing import Final, NamedTuple

MAX_CELL: Final = 1 << 20
"""The longest cell, in characters: what a quote that never closes may swallow."""

MAX_RECORD: Final = 4 * MAX_CELL
"""The longest record that goes over several lines, in characters."""

SPARE: Final = 4 * MAX_CELL
"""How many characters may be read again after mistakes, before any line was passed."""

SPARE_PER_LINE: Final = 500
"""How many more for each line that was passed."""


class Torn(NamedTuple):
    """A line that is no record: why, and the line itself."""

    reason: str
    text: str


Record = list[str] | Torn | str
"""The cells of a record, or what is wrong with a line; a text says why nothing more is read."""

_UNCLOSED: Final = 'a quote (") is opened that nothing closes (close it, or double a quote that is meant)'
_TOO_LARGE: Final = (
    f'has a cell of more than {MAX_CELL:,} characters: a quote (") that nothing closes? (else write '
    "these rows as JSONL, where a line may have 16 MiB)"
)
_TOO_MANY: Final = "so many quotes are opened and never closed that the rest was not read (is this CSV?)"


class Records:
    """Splits lines into records, strictly. Where a quote never closes, that line alone is wrong.

    ``over``: there are too many such lines, and nothing more is read.
    """

    def __init__(self) -> None:
        csv.field_size_limit(max(csv.field_size_limit(), MAX_CELL))
        self._lines: deque[str | None] = deque()
        self._held: list[str] = []
        self._line = 0
        self._open = self._new = self._again = 0
        self.over = False

    @property
    def idle(self) -> bool:
        """Whether no record is open."""
        return not self._held

    def skip(self, lines: int) -> None:
        """Count lines that were read elsewhere; none may be open."""
        self._line += lines

    def read(self, lines: list[str], *, last: bool = False) -> Iterator[tuple[int, Record]]:
        """Every record that ends in these lines, each with the number of its first line, from 1."""
        self._held += lines
        self._new += sum(map(len, lines))
        if self._new >= self._open or last:
            yield from self._read(self._held, last=last)
            self._new = 0

    def _read(self, held: list[str], *, last: bool) -> Iterator[tuple[int, Record]]:
        before = self._line
        self._lines.extend(held)
        while not self.over:
            if last:
                self._lines.append(None)
            parser, begun = csv.reader(iter(self._lines.popleft, None), strict=True), self._line
            try:
                for cells in parser:
                    yield self._line + 1, cells
                    self._line = begun + parser.line_num
                break
            except IndexError:  # the lines ran out inside of a record
                if self._hold(held[self._line - before :]) <= MAX_RECORD:
                    return
                taken, told = held[self._line - before + 1 :], _UNCLOSED
            except csv.Error as error:
                taken = held[self._line - before + 1 : begun + parser.line_num - before]
                told = _reason(str(error))
            yield from self._give_back(Torn(told, held[self._line - before].rstrip("\r\n")), taken)
        self._hold([])

    def _hold(self, rest: list[str]) -> int:
        """Keep what is left for the next portion; return how many characters that is."""
        self._held, self._open = rest, sum(map(len, rest))
        return self._open

    def _give_back(self, torn: "Torn", taken: list[str]) -> Iterator[tuple[int, Record]]:
        """Only the first line of a record is wrong: those that it had taken are read again."""
        self._lines.extendleft(reversed(taken))
        self._again += sum(map(len, taken))
        self._line += 1
        yield self._line, torn
        if self._again > SPARE + SPARE_PER_LINE * self._line:
            self.over = True
            yield self._line + 1, _TOO_MANY


def _reason(error: str) -> str:
    """What a complaint of the csv module means for the user."""
    if "end of data" in error:
        return _UNCLOSED
    if "field limit" in error:
        return _TOO_LARGE
    if "expected after" in error:
        return 'a quoted cell goes on after its closing quote (double a quote inside of it: "")'
    return "a carriage return stands inside a line (end lines with \\n or \\r\\n)"
