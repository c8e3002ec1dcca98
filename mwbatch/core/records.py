"""CSV records with the line each begins on, from lines that arrive in portions.

The parser of the standard library pulls its lines and knows nothing of portions; a record that is cut off by the end of
one is given back and read again with the next.
"""

import csv
from collections import deque
from collections.abc import Iterator
from typing import Final, NamedTuple

MAX_CELL: Final = 1 << 20
"""The longest cell, in characters: what a quote that never closes may swallow."""


class Torn(NamedTuple):
    """A line that is no record: why, and the line itself."""

    reason: str
    text: str


Record = list[str] | Torn
"""The cells of a record, or what is wrong with it."""


class Records:
    """Splits lines into records, strictly. Where a quote never closes, that line alone is wrong."""

    def __init__(self) -> None:
        csv.field_size_limit(max(csv.field_size_limit(), MAX_CELL))
        self._lines: deque[str | None] = deque()
        self._held: list[str] = []
        self._line = 0

    def read(self, lines: list[str], *, last: bool = False) -> Iterator[tuple[int, Record]]:
        """Every record that ends in these lines, each with the number of its first line, from 1."""
        held, before = self._held + lines, self._line
        self._lines.extend(held)
        while True:
            if last:
                self._lines.append(None)
            parser, begun = csv.reader(iter(self._lines.popleft, None), strict=True), self._line
            try:
                for cells in parser:
                    yield self._line + 1, cells
                    self._line = begun + parser.line_num
                break
            except IndexError:  # the lines ran out inside of a record
                break
            except csv.Error as error:
                taken = held[self._line - before + 1 : begun + parser.line_num - before]
                self._lines.extendleft(reversed(taken))
                text = (held[self._line - before] or "").rstrip("\r\n")
                self._line += 1
                yield self._line, Torn(_reason(str(error)), text)
        self._held = held[self._line - before :]


def _reason(error: str) -> str:
    """What a complaint of the csv module means for the user."""
    if "end of data" in error or "field limit" in error:
        return 'a quote (") is opened that nothing closes (close it, or double a quote that is meant)'
    if "expected after" in error:
        return 'a quoted cell goes on after its closing quote (double a quote inside of it: "")'
    return "a carriage return stands inside a line (end lines with \\n or \\r\\n)"
