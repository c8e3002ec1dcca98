"""Rows out of CSV, as RFC 4180 writes it, and what is wrong where it is written otherwise."""

import csv
import io
import re
from collections import deque
from collections.abc import Iterator
from typing import Final

from mwbatch.core.cells import shown
from mwbatch.core.entry import Found, Problem
from mwbatch.core.reader import Reader, foreign
from mwbatch.core.text import Json

MAX_CELL: Final = 1 << 20
"""The longest cell, in characters: what a quote that never closes may swallow."""


class _Supply:
    """Hands lines to the csv parser and remembers those of the record that it is at."""

    def __init__(self) -> None:
        self.lines: deque[str] = deque()
        self.taken: list[str] = []
        self.ended = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if not self.lines:
            raise StopIteration if self.ended else _MoreError
        line = self.lines.popleft()
        self.taken.append(line)
        return line

    def give_back(self, keep: int = 0) -> None:
        """Take back the lines of a broken or unfinished record, but for the first ``keep``."""
        self.lines.extendleft(reversed(self.taken[keep:]))
        self.taken.clear()


class _MoreError(Exception):
    """The parser needs a line that has not come yet."""


class CsvReader(Reader):
    """Reads CSV as RFC 4180 writes it, with a header; empty rows are skipped.

    Where a quote never closes, that line alone is reported and reading goes on at the next one.
    """

    def __init__(self) -> None:
        super().__init__()
        csv.field_size_limit(max(csv.field_size_limit(), MAX_CELL))
        self._supply = _Supply()
        self._records = csv.reader(self._supply, strict=True)
        self._names: list[str] | None = None
        self._suspect = False

    def _last(self, tail: bytes) -> list[Found]:
        self._supply.ended = True
        return self._read(tail)

    def _read(self, whole: bytes) -> list[Found]:
        self._supply.lines.extend(io.StringIO(self._decoded(self._begun(whole)), newline="\n"))
        found: list[Found] = []
        try:
            while not self._over:
                found += self._record()
        except (_MoreError, StopIteration):
            self._supply.give_back()
        return found

    def _decoded(self, whole: bytes) -> str:
        """The text of these lines. Bytes that are not UTF-8 become surrogates, found later in their cells."""
        self._suspect = self._suspect or b"\0" in whole
        try:
            return whole.decode()
        except UnicodeDecodeError:
            self._suspect = True
            return whole.decode(errors="surrogateescape")

    def _record(self) -> list[Found]:
        """Read one record; raises `StopIteration` at the end and `_MoreError` where more lines are needed."""
        line = self._line + 1
        try:
            cells = next(self._records)
        except csv.Error as error:
            self._line += 1
            self._supply.give_back(keep=1)
            return [Problem(line, None, _reason(str(error)))]
        self._line += len(self._supply.taken)
        self._supply.taken.clear()
        if not any(cells):
            return []
        if self._names is None:
            return self._header(line, cells)
        return self._row(line, self._names, cells)

    def _header(self, line: int, cells: list[str]) -> list[Found]:
        self._names = [name.strip() for name in cells]
        found: list[Found] = [*self._rows.settle(line, dict.fromkeys(self._names))]
        twice = dict.fromkeys(name for name in self._names if self._names.count(name) > 1)
        found += [
            Problem(line, name, "is the name of more than one column (each needs its own)") for name in twice
        ]
        if bad := foreign(line, dict.fromkeys(self._names)):
            self._over = True
            return bad
        if "image_url" not in self._names:
            self._over = True
            found.append(Problem(line, "image_url", f"there is no such column{_meant(self._names)}"))
        return found

    def _row(self, line: int, names: list[str], cells: list[str]) -> list[Found]:
        if len(cells) != len(names):
            told = f"has {len(cells)} cells, but the header has {len(names)} (quote cells that hold commas)"
            return [Problem(line, None, told)]
        row: dict[str, Json] = dict(zip(names, cells, strict=True))
        if self._suspect and (bad := foreign(line, row)):
            return bad
        return self._rows.read(line, row)


def _reason(error: str) -> str:
    """What a complaint of the csv module means for the user."""
    if "end of data" in error or "field limit" in error:
        return 'a quote (") is opened that nothing closes (close it, or double a quote that is meant)'
    if "expected after" in error:
        return 'a quoted cell goes on after its closing quote (double a quote inside of it: "")'
    return "a carriage return stands inside a line (end lines with \\n or \\r\\n)"


def _meant(names: list[str]) -> str:
    """A guess at what went wrong with a header without image_url."""
    for name in names:
        if re.sub("[^a-z]", "", name.casefold()) in {"imageurl", "image", "url"}:
            return f" (rename {shown(name)} to image_url)"
    for other, said in ((";", "semicolons"), ("\t", "tabs")):
        if other in names[0]:
            return f" (the columns seem to be separated by {said}: separate them by commas)"
    return f" (the first line must name the columns; it has {', '.join(map(shown, names[:8]))})"
