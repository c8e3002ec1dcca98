"""What the readers of both formats share: whole lines out of blocks of bytes, and what is no text."""

from abc import ABC, abstractmethod
from typing import Final

from mwbatch.core.codec.foreign import foreign
from mwbatch.core.codec.json_codec import Json
from mwbatch.core.codec.plain_text import BOM
from mwbatch.core.manifest.cells import shown
from mwbatch.core.manifest.entry import Found, Problem, Rows

MAX_LINE: Final = 16 << 20
"""The longest line, in bytes: beyond it this is no manifest, and reading stops."""


class Reader(ABC):
    """What both formats share: whole lines out of blocks, and the id column.

    ``header`` is the line with the ``names`` of the columns of all rows; 0 where each row names its own.
    """

    def __init__(self) -> None:
        self.header = 0
        self.names: list[str] = []
        self._rows = Rows()
        self._tail = b""
        self._line = 0
        self._over = False

    @property
    def id_column(self) -> str | None:
        """The column that names the rows, None if they go by digest; known once the first row was read."""
        return self._rows.id_column

    @property
    def decimals(self) -> str:
        """What to say of ids that were decimal numbers; empty where none were."""
        return self._rows.told_decimals()

    @property
    def batch_id(self) -> str:
        """The batch that the first row names, empty for none; known once that was read."""
        return self._rows.batch_id

    def feed(self, block: bytes) -> list[Found]:
        """Read on: every row that ends in this block."""
        if self._over:
            return []
        found = list[Found]()
        if cut := block.rfind(b"\n") + 1:
            found, self._tail = self._begin(self._tail + block[:cut]), b""
        self._tail += block[cut:]
        if len(self._tail) > MAX_LINE:
            self._over = True
            found += self._too_long()
        return found

    def finish(self) -> list[Found]:
        """Read what is left after the last line end."""
        return [] if self._over else self._begin(self._tail, last=True)

    def _begin(self, whole: bytes, *, last: bool = False) -> list[Found]:
        """Read lines, without the byte order mark that a file may begin with, and count them."""
        found = self._read(whole if self._line else whole.removeprefix(BOM), last=last)
        self._line += whole.count(b"\n")
        return found

    def _too_long(self) -> list[Found]:
        told = f"is longer than {MAX_LINE >> 20} MiB: the rest was not read (is this a manifest?)"
        return [Problem(self._line + 1, None, told)]

    @abstractmethod
    def _read(self, whole: bytes, *, last: bool) -> list[Found]:
        """Read the lines after the ``_line``-th, all of them whole but, at the last, one that has no end."""


def foreign_cells(line: int, row: dict[str, Json]) -> list[Found]:
    """A problem for every column that holds what is no text, or whose name does."""
    return [
        Problem(line, shown(column)[1:-1], told)
        for column, cell in row.items()
        if (told := foreign(column) or foreign(cell))
    ]
