"""Rows out of CSV whose lines are plain, as most are: no quotes, no other kind of row;
all lines of a block in one search.
"""

import re
from collections.abc import Sequence
from typing import Final

from mwbatch.core.facts.digests import digest_id
from mwbatch.core.facts.kinds import Request
from mwbatch.core.manifest.cells import PLAIN_ID, PLAIN_URL, VISIBLE
from mwbatch.core.manifest.column_names import IMAGE_URL
from mwbatch.core.manifest.csv_records import MAX_CELL
from mwbatch.core.manifest.entry import SAID, Entry, Found

MOST_NAMES: Final = 64
"""How many columns are looked for in one search."""

_NO_COMMA: Final = r"[!#-+\--~]"
"""What is `VISIBLE`, and no quote or comma."""

_CELL: Final = r'[^,"\r\n]*'


class PlainLines:
    """Reads lines under a header that names ``columns``, as `CsvReader` would one by one.

    ``id_column`` is the one that names the rows; ``misnamed`` is what every row has.
    """

    def __init__(
        self, columns: Sequence[str], id_column: str | None, misnamed: tuple[tuple[str, str], ...]
    ) -> None:
        self._columns, self._id_column, self._misnamed = columns, id_column, misnamed
        kinds = {id_column: PLAIN_ID, IMAGE_URL: PLAIN_URL}
        cells = (kinds.get(name, _CELL).replace(VISIBLE, _NO_COMMA) for name in columns)
        # An empty group at the end: what is found is a tuple, be there one column only.
        self._lines = re.compile(rf"^{','.join(f'({cell})' for cell in cells)}()\r?\n", re.MULTILINE).findall

    @classmethod
    def under(
        cls, columns: Sequence[str], id_column: str | None, misnamed: tuple[tuple[str, str], ...]
    ) -> "PlainLines | None":
        """None under a header that lets rows say what they ask for,
        or has too many names to be searched for.
        """
        if len(columns) > MOST_NAMES or not SAID.isdisjoint(columns):
            return None
        return cls(columns, id_column, misnamed)

    def read(self, text: str, line: int) -> list[Found] | None:
        """The rows of whole lines, the first of which is the ``line``-th;
        None where one of them is not plain.
        """
        if '"' in text or len(text) > MAX_CELL:
            return None
        found = self._lines(text)
        if len(found) != text.count("\n"):
            return None
        columns, id_column, misnamed = self._columns, self._id_column, self._misnamed
        entries: list[Found] = []
        for number, cells in enumerate(found, line):
            row = dict(zip(columns, cells))  # noqa: B905 (one group more than there are columns)
            request: Request = {"image_url": row.pop(IMAGE_URL), "objects_to_tag": "brands"}
            name = digest_id("tagging", request) if id_column is None else row.pop(id_column)
            entries.append(Entry(number, name, "tagging", request, row, id_column is not None, misnamed))
        return entries
