"""Rows out of JSONL: one object a line, each key once."""

import re
from typing import Final

from mwbatch.core.codec.json_codec import BadJson, Json
from mwbatch.core.codec.json_slips import slip
from mwbatch.core.codec.strict_json import decode_strictly
from mwbatch.core.manifest.cells import shown
from mwbatch.core.manifest.column_names import ID_NAMES, IMAGE_URL, meant, misnamed
from mwbatch.core.manifest.entry import OUR_TEXT, Entry, Found, Problem, with_cells
from mwbatch.core.manifest.reader import Reader, foreign_cells

_ESCAPED: Final = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])").search


MOST_NAMES: Final = 1024
"""How many names are remembered as being no other spelling of a known one: keys may differ line by line."""


class JsonlReader(Reader):
    """Reads JSONL: one object a line, each key once; blank lines are skipped."""

    def __init__(self) -> None:
        super().__init__()
        self._plain: set[str] = set()

    # a line is a row, the last one too
    def _read(self, whole: bytes, *, last: bool) -> list[Found]:  # noqa: ARG002
        found: list[Found] = []
        for line, raw in enumerate(whole.split(b"\n"), self._line + 1):
            if raw and not raw.isspace():
                found += self._object(line, raw)
        return found

    def _object(self, line: int, raw: bytes) -> list[Found]:
        try:
            row = decode_strictly(raw)
        except BadJson as error:
            return [Problem(line, None, f"{error}{_hint(raw)}", _as_text(raw))]
        if not isinstance(row, dict):
            return [Problem(line, None, f"must be a JSON object, not {shown(row)}", _as_text(raw))]
        found = (_ESCAPED(raw) and foreign_cells(line, row)) or self._row(line, row)
        return found if isinstance(found[0], Entry) else with_cells(found, _as_cells(raw))

    def _row(self, line: int, row: dict[str, Json]) -> list[Found]:
        others = () if self._plain.issuperset(row) else self._misnamed(row)
        ids, read = self._ids(line, row), self._rows.read(line, row)
        if ids:
            return [*ids, *(one for one in read if isinstance(one, Problem))]
        first = read[0]
        return [first._replace(misnamed=others)] if others and isinstance(first, Entry) else read

    def _misnamed(self, row: dict[str, Json]) -> tuple[tuple[str, str], ...]:
        """Look at names that came for the first time, or that are another spelling of a known one."""
        self._plain.update(name for name in row if not meant(name))
        if len(self._plain) > MOST_NAMES:
            self._plain.clear()
        return misnamed(row)

    def _ids(self, line: int, row: dict[str, Json]) -> list[Problem]:
        """Hold every line to the id column of the first."""
        if not self._rows.settled:
            # A line without cells, of a list of invalid rows, names no columns.
            bare = OUR_TEXT in row and IMAGE_URL not in row
            return [] if bare else self._rows.settle(line, row)
        column, first = self._rows.id_column, self._rows.settled
        said = f"the rows are known by {column}" if column else "the rows have no id"
        return [
            Problem(line, name, f"is an id column, but since line {first} {said} (use one throughout)")
            for name in ID_NAMES
            if name in row and name != column
        ]


def _hint(raw: bytes) -> str:
    """How a line came to be no JSON, else what it should be."""
    return slip(raw.decode(errors="replace")) or " (one JSON object a line)"


def _as_cells(raw: bytes) -> dict[str, Json]:
    """The row again, which was taken apart."""
    row = decode_strictly(raw)
    return row if isinstance(row, dict) else {}


def _as_text(raw: bytes) -> dict[str, Json]:
    return {OUR_TEXT: raw.decode(errors="replace").strip()}
