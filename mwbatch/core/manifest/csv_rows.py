"""Rows out of CSV, as RFC 4180 writes it, and what is wrong where it is written otherwise."""

import csv
import io
from collections import Counter

from mwbatch.core.codec.json_codec import Json
from mwbatch.core.manifest.cells import shown
from mwbatch.core.manifest.column_names import IMAGE_URL, guess, misnamed
from mwbatch.core.manifest.csv_plain import PlainLines
from mwbatch.core.manifest.csv_records import Records, Torn
from mwbatch.core.manifest.entry import OUR_TEXT, Found, Problem, with_cells
from mwbatch.core.manifest.reader import Reader, foreign_cells
from mwbatch.core.words.plural import counted


class CsvReader(Reader):
    """Reads CSV as RFC 4180 writes it, with a header; empty rows are skipped.

    Where a quote never closes, that line alone is reported and reading goes on at the next one.
    """

    def __init__(self) -> None:
        super().__init__()
        self._records = Records()
        self._misnamed: tuple[tuple[str, str], ...] = ()
        self._suspect = False
        self._plain: PlainLines | None = None

    def _read(self, whole: bytes, *, last: bool = False) -> list[Found]:
        text = self._decoded(whole)
        if self._plain and not last and not self._suspect and self._records.idle:
            rows = self._plain.read(text, self._line + 1)
            if rows is not None:
                self._records.skip(len(rows))
                return rows
        found: list[Found] = []
        lines = list(io.StringIO(text, newline="\n"))
        for line, record in self._records.read(lines, last=last):
            if isinstance(record, Torn):
                found.append(Problem(line, None, record.reason, {OUR_TEXT: record.text}))
            elif isinstance(record, str):
                found.append(Problem(line, None, record))
            elif any(map(str.strip, record)):
                found += self._row(line, record) if self.names else self._header(line, record)
            if self._over:
                break
        self._over = self._over or self._records.over
        return found

    def _decoded(self, whole: bytes) -> str:
        """The text of these lines. Bytes that are not UTF-8 become surrogates, found later in their cells."""
        self._suspect = self._suspect or b"\0" in whole
        try:
            return whole.decode()
        except UnicodeDecodeError:
            self._suspect = True
            return whole.decode(errors="surrogateescape")

    def _header(self, line: int, cells: list[str]) -> list[Found]:
        names = self.names = _named([name.strip() for name in cells])
        once = dict.fromkeys(names)
        twice = [name for name, times in Counter(names).items() if times > 1]
        found = foreign_cells(line, once)
        self._over = bool(found) or IMAGE_URL not in once
        self.header, self._misnamed = line, misnamed(once)
        found += self._rows.settle(line, once)
        found += [
            Problem(line, shown(name)[1:-1], "is the name of more than one column (each needs its own)")
            for name in twice
        ]
        if IMAGE_URL not in once:
            found.append(Problem(line, IMAGE_URL, f"there is no such column{_meant(names)}"))
        self._plain = None if found else PlainLines.under(names, self._rows.id_column, self._misnamed)
        return found

    def _row(self, line: int, cells: list[str]) -> list[Found]:
        if len(cells) != len(self.names):
            if any(map(str.strip, cells[len(self.names) :])) or len(cells) < len(self.names):
                return [Problem(line, None, self._uneven(len(cells)), {OUR_TEXT: _text(cells)})]
            cells = cells[: len(self.names)]  # as spreadsheets end rows: with cells that are empty
        # they are as many, and it costs a tenth
        row: dict[str, Json] = dict(zip(self.names, cells))  # noqa: B905
        found = (self._suspect and foreign_cells(line, row)) or self._rows.read(line, row)
        first = found[0]
        if isinstance(first, Problem):
            return with_cells(found, dict(zip(self.names, cells, strict=True)))
        return [first._replace(misnamed=self._misnamed)] if self._misnamed else found

    def _uneven(self, count: int) -> str:
        """What is said of a row with more or fewer cells than there are columns."""
        why = "quote cells that hold commas" if count > len(self.names) else "a comma for each empty one, too"
        return f"has {counted(count, 'cell')}, but the header has {len(self.names):,} ({why})"


def _named(names: list[str]) -> list[str]:
    """The names without those at the end that are empty, where there are several:
    a spreadsheet had columns there once. One at least is not empty.
    """
    used = max(place for place, name in enumerate(names, 1) if name)
    return names[:used] if len(names) - used > 1 else names


def _text(cells: list[str]) -> str:
    """A record as a line again."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()


def _meant(names: list[str]) -> str:
    """A guess at what went wrong with a header without image_url."""
    if (name := guess(IMAGE_URL, names)) is not None:
        return f" (rename {shown(name)} to {IMAGE_URL})"
    if names[0].strip('"').lower().startswith("sep="):
        return " (delete this line, which tells a spreadsheet alone how cells are separated)"
    for other, said in ((";", "semicolons"), ("\t", "tabs")):
        if other in names[0]:
            return f" (the columns seem to be separated by {said}: separate them by commas)"
    return f" (the first line must name the columns; it has {', '.join(map(shown, names[:8]))})"
