"""A row of a manifest, as the API will be asked for it: what kind of task, which request,
what else stood there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal, NamedTuple

from mwbatch.core.codec.json_codec import Json
from mwbatch.core.facts.digests import digest_id
from mwbatch.core.facts.kinds import Request
from mwbatch.core.manifest import cells
from mwbatch.core.manifest.column_names import ANNOTATING, ID_NAMES, TAGGING, guess, misnamed
from mwbatch.core.words.plural import rows

Type = Literal["tagging", "annotating"]

OUR_ERROR: Final = "mwbatch_error"
"""What is wrong with a row, in a list of invalid rows that mwbatch wrote;
ignored when that list is handed in again.
"""

OUR_TEXT: Final = "mwbatch_text"
"""In the same list, a line that has no cells, as it stands in the file; ignored too."""

OUR_BATCH: Final = "mwbatch_batch"
"""In the same list, the id of the batch to which the row belongs."""

OUR_ROW: Final = "mwbatch_row"
"""In the same list, what tells the row as it stood in its manifest from others: it is put aside once,
also when it is mended.
"""

_OURS: Final = (OUR_BATCH, OUR_ERROR, OUR_TEXT, OUR_ROW)
SAID: Final = frozenset(("type", *TAGGING, *ANNOTATING, *_OURS))
"""What a row may say to us beside its id and its picture."""


class Entry(NamedTuple):
    """One good row of a manifest (a tuple, because it is made a hundred thousand times a second).

    ``line`` is where its record begins, from 1. ``request`` has the API's own field names, exactly what is
    sent but for the callback address; ``columns`` is all else, to come back with the results (with the tags
    as they were written, where they carried more than is sent). ``given``: the id stood in the manifest, else
    it is a digest. ``misnamed`` columns are another spelling of a known name that the row lacks: (column,
    known name) each.
    """

    line: int
    id: str
    type: Type
    request: Request
    columns: dict[str, Json]
    given: bool
    misnamed: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a manifest; ``column`` is None when it concerns the whole line.

    ``cells`` is the row as it stands in the file, so that it can be handed back; None where no row can be
    read on.
    """

    line: int
    column: str | None
    message: str
    cells: Mapping[str, object] | None = field(default=None, compare=False, repr=False)

    def text(self, file: str) -> str:
        """One line for people: ``file:line: column: what is wrong (and what would be right)``."""
        return f"{file}:{self.line}: {'' if self.column is None else f'{self.column}: '}{self.message}"


Found = Entry | Problem
"""What a manifest yields: a good row, or something wrong with a bad one."""


def with_cells(found: list[Found], cells: Mapping[str, object]) -> list[Found]:
    """The same, every problem with the row that it was found in."""
    return [replace(one, cells=cells) if isinstance(one, Problem) else one for one in found]


def cells_of(entry: Entry, id_column: str | None) -> dict[str, object]:
    """The cells of a good row again: a row of JSONL that would be read as the same entry."""
    named = {} if id_column is None else {id_column: entry.id}
    cells: dict[str, object] = {**named, "type": entry.type, **entry.request, **entry.columns}
    if entry.misnamed:
        # MUST NOT say what the row is: with the right names it may be another.
        del cells["type"]
        cells.pop("objects_to_tag", None)
    # A column of the user's that looks like a known one stays his: the known one stood there too, empty.
    there = dict.fromkeys(known for name, known in misnamed(cells) if (name, known) not in entry.misnamed)
    return {**there, **cells}


@dataclass(slots=True)
class Rows:
    """Turns rows into entries.

    ``id_column`` is the one that this manifest uses, None where it has none; ``batch_id`` the batch that its
    rows name; ``decimals`` counts ids that were decimal numbers and are known by their digits alone;
    ``first_decimal`` is the line and the value of the first.
    """

    id_column: str | None = None
    settled: int = field(default=0, init=False)
    batch_id: str = field(default="", init=False)
    decimals: int = field(default=0, init=False)
    first_decimal: tuple[int, float] = field(default=(0, 0.0), init=False)

    def settle(self, line: int, names: Iterable[str]) -> list[Problem]:
        """Choose the id column from the names in the first record, which stands at ``line``."""
        self.settled = line
        named = [name for name in names if name in ID_NAMES]
        self.id_column = named[0] if named else None
        return [
            Problem(line, name, f"is a second id column beside {named[0]} (keep one)") for name in named[1:]
        ]

    def read(self, line: int, row: dict[str, Json]) -> list[Found]:
        """Check one row, which this takes apart: one entry, or every problem that it has."""
        wrong: cells.Complaints = []
        column, name = self.id_column, ""
        if OUR_BATCH in row:
            self._belongs(row[OUR_BATCH], wrong)
        if column is not None:
            cell = row.pop(column, None)
            name = cells.identifier(column, cell, wrong)
            if name and type(cell) is float:
                self.first_decimal = self.first_decimal if self.decimals else (line, cell)
                self.decimals += 1
        kind, request = _request(row, wrong)
        if wrong:
            return [
                Problem(line, column, message + _guessed(column, message, row)) for column, message in wrong
            ]
        return [Entry(line, name or digest_id(kind, request), kind, request, row, column is not None)]

    def told_decimals(self) -> str:
        """What to say of ids that were decimal numbers; empty where none were."""
        line, number = self.first_decimal
        if not self.decimals:
            return ""
        return (
            f"{rows(self.decimals)} with a decimal number for an id, known by its digits: {number} as "
            f"{cells.shown(str(int(number)))} (write ids in quotes, as text, to have them as they are), "
            f"first line {line}"
        )

    def _belongs(self, named: Json, wrong: cells.Complaints) -> None:
        """Hold every row that names its batch to the first that did:
        the others would get into a batch that is not theirs.
        """
        if cells.absent(named):
            return
        self.batch_id = self.batch_id or str(named)
        if str(named) != self.batch_id:
            said = (
                f"is {cells.shown(named)}, but rows before are of batch {self.batch_id} (hand the rows of "
                "each in by themselves)"
            )
            wrong.append((OUR_BATCH, said))


def _request(row: dict[str, Json], wrong: cells.Complaints) -> tuple[Type, Request]:
    """Take the fields of the request out of a row and check them."""
    pop = row.pop
    url = cells.image_url(pop("image_url", None), wrong)
    if SAID.isdisjoint(row):  # as in most rows there are
        return "tagging", {"image_url": url, "objects_to_tag": "brands"}
    said, objects = pop("type", None), pop("objects_to_tag", None)
    asked = pop("instruction", None), pop("annotation_option", None), pop("tags", None)
    for ours in _OURS:
        pop(ours, None)
    if cells.absent(said):
        said = None
    elif said not in ("tagging", "annotating"):
        wrong.append(("type", f"must be tagging or annotating, not {cells.shown(said)}"))
        said = None
    given = [name for name, cell in zip(ANNOTATING, asked, strict=True) if not cells.absent(cell)]
    if said == "tagging" or not (said or given):
        _refuse(given, f"is for annotating, but {_reason(said, TAGGING)} (leave it empty)", wrong)
        return "tagging", {"image_url": url, "objects_to_tag": cells.objects_to_tag(objects, wrong)}
    if not cells.absent(objects):
        _refuse(TAGGING, f"is for tagging, but {_reason(said, given)} (leave it empty)", wrong)
    return "annotating", _question(row, url, *asked, wrong)


def _question(
    row: dict[str, Json], url: str, asked: Json, options: Json, boxes: Json, wrong: cells.Complaints
) -> Request:
    """An annotating request; tags that carry more than is sent stay in the row as they are."""
    question, answers = cells.instruction(asked, wrong), cells.annotation_option(options, wrong)
    sent, more = cells.tags(boxes, wrong)
    if more:
        row["tags"] = more
    return {"image_url": url, "instruction": question, "annotation_option": answers, "tags": sent}


def _guessed(column: str | None, message: str, row: Iterable[str]) -> str:
    """Which column of the row was perhaps meant for one that is missing."""
    if column is None or not message.startswith("is missing"):
        return ""
    other = guess(column, row)
    return "" if other is None else f" (or rename {cells.shown(other)} to {column})"


def _refuse(columns: Iterable[str], message: str, wrong: cells.Complaints) -> None:
    wrong.extend((column, message) for column in columns)


def _reason(said: str | None, fields: Iterable[str]) -> str:
    """Why a row is of its type: because it says so, or because of its other fields."""
    return f"the type of this row is {said}" if said else f"this row has {', '.join(fields)} too"
