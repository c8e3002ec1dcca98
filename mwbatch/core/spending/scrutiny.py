"""A second look at rows that would be bought: what could be sent as it is,
and was most likely meant otherwise.

Only rows that are still to be sent are looked at: what was accepted once is never refused later.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final

from mwbatch.core.manifest.cells import EXACT, shown
from mwbatch.core.manifest.column_names import KNOWN, misnamed
from mwbatch.core.manifest.entry import Entry, Found, Problem
from mwbatch.core.manifest.image_size import HEIGHT, WIDTH, misspelt_size
from mwbatch.core.spending.suspect_cells import NO_VALUES, is_shortened, no_value, question, unseen
from mwbatch.core.urls.expiry import Clock, Expiring, expires
from mwbatch.core.words.hint import typed
from mwbatch.core.words.plural import rows

MOST_COLUMNS: Final = 1024
"""How many of the user's columns are remembered: in JSONL each row may have others."""

SHOWN_COLUMNS: Final = 12
"""How many of them people are shown."""

UNUSED: Final = "callback_url"
"""A field of the API's that somebody may believe to be read here."""

NO_SIZE: Final = (
    "with an image_width and image_height that are no size (two whole numbers of pixels): exports will have "
    "to measure the picture or leave it out"
)
SHORTENED: Final = (
    "with an id that a spreadsheet has shortened, such as {} (format the column as text there, and export "
    "it anew)"
)
NO_DIGITS: Final = "with a number of more digits than a number in JSON keeps (write it in quotes, as text)"


@dataclass(frozen=True, slots=True)
class Leave:
    """What the user said is meant as it stands: ``own_columns`` are no misspelt names;
    one option is enough to choose.
    """

    own_columns: frozenset[str] = frozenset()
    single_option: bool = False


class Scrutiny:
    """Looks at the new rows of one manifest.

    ``owned`` gives the columns of the batch that were taken for the user's own although they look like known
    ones. Where a URL expires, `set_clock` comes first. ``header`` is the line of the header, 0 where each row
    names its own columns; ``id_column`` the column of ids, if there is one; ``columns`` are the user's, of
    the rows that were found good; ``decimals`` is what to say of ids that were decimal numbers.
    """

    def __init__(self, leave: Leave, owned: Callable[[], Collection[str]] = tuple) -> None:
        self.header, self.id_column = 0, ""
        self.columns: dict[str, None] = {}
        self.decimals = ""
        self.expiring: Expiring | None = None
        self._leave, self._ask_owned = leave, owned
        self._owned: Collection[str] | None = None
        self._seen: set[str] = set()
        self._doubts: dict[str, tuple[int, int, str]] = {}
        self._told: set[str | None] = set()

    def set_clock(self, clock: Clock) -> None:
        """Tell the time by which URLs expire."""
        self.expiring = Expiring(clock)

    def needs_clock(self, found: Iterable[Found]) -> bool:
        """Whether one of these rows has a URL that expires, and nobody has told the time."""
        if self.expiring is not None:
            return False
        urls = [one.request["image_url"] for one in found if isinstance(one, Entry)]
        return "?" in "".join(urls) and any(expires(url) for url in urls if "?" in url)

    def suspects(self, fresh: list[Entry]) -> list[int]:
        """The places of the rows that have to be looked at: few,
        in most manifests (this is done for every row).
        """
        seen = self._seen
        if not fresh or self._surely_good(fresh):
            return []
        return [
            n
            for n, (_, name, kind, request, columns, _, others) in enumerate(fresh)
            if kind == "annotating"
            or "?" in request["image_url"]
            or not request["image_url"].isprintable()
            or others
            or name in NO_VALUES
            or is_shortened(name)
            or WIDTH in columns
            or HEIGHT in columns
            or (not self.header and float in map(type, columns.values()))
            or not seen.issuperset(columns)
        ]

    def _surely_good(self, fresh: list[Entry]) -> bool:
        """Whether nothing speaks against any of these rows: they are looked at by columns,
        as one by one takes ten times as long.
        """
        _, names, kinds, requests, columns, _, others = zip(*fresh, strict=True)
        return (
            "annotating" not in kinds
            and "?" not in (urls := "".join([request["image_url"] for request in requests]))
            and urls.isprintable()
            and not any(others)
            and NO_VALUES.isdisjoint(names)
            and "+" not in "".join(names)
            and self._seen.issuperset(chain.from_iterable(columns))
            and self._seen.isdisjoint((WIDTH, HEIGHT))
            and bool(self.header or not any(float in map(type, own.values()) for own in columns))
        )

    def has_expired(self, entry: Entry) -> bool:
        """Whether the URL of a row has expired, as far as somebody told the time."""
        return self.expiring is not None and bool(self.expiring.complaint(entry.request["image_url"]))

    def look(self, entry: Entry) -> list[Problem] | None:
        """None for a good row; else what is wrong with it,
        of the names of its columns only what was not told before.
        """
        if self.expiring:
            self.expiring.count(entry.request["image_url"])
        names, values = self._names(entry.line, entry.misnamed), self._values(entry)
        if names or values:
            return [*self._first_time(names), *values]
        self._remember(entry.columns)
        self._doubt(entry)
        return None

    def problems(self, entry: Entry) -> list[Problem]:
        """All that is wrong with a row, whatever was told before."""
        return [*self._names(entry.line, entry.misnamed), *self._values(entry)]

    def names(self, line: int, there: Collection[str]) -> list[Problem]:
        """What is misnamed in a header, or in a row that has other mistakes, if it was not told before."""
        return self._first_time(self._names(line, misnamed(there)))

    def composition(self, by_type: Mapping[str, int]) -> str:
        """What the new rows are, and which of their columns are the user's:
        what people should see before they pay.
        """
        types = f"{by_type['tagging']:,} tagging, {by_type['annotating']:,} annotating"
        return "; ".join([types, *self.yours()])

    def yours(self) -> list[str]:
        """The user's columns in one sentence; none where there are none."""
        columns = [_named(name) for name in [*self.columns][:SHOWN_COLUMNS]]
        more = f" and {len(self.columns) - SHOWN_COLUMNS:,} more" if len(self.columns) > SHOWN_COLUMNS else ""
        return [f"yours: {', '.join(columns)}{more}"] if columns else []

    def text(self) -> list[str]:
        """What people should know besides, a line each."""
        unused = UNUSED in self.columns
        told = (
            [f"column {UNUSED} is not used: mwbatch gives each task an address of its own"] if unused else []
        )
        return [*told, *self._doubtful(), *(self.expiring.text() if self.expiring else [])]

    def json(self) -> dict[str, object]:
        """The same for scripts."""
        nothing: dict[str, object] = {"expired_urls": 0, "expiring_urls": 0, "first_expiry": None}
        return {"own_columns": [*self.columns], **(self.expiring.json() if self.expiring else nothing)}

    def _doubt(self, entry: Entry) -> None:
        """Remember what of the user's own columns will be of no use to him,
        so that he hears of it before he pays.
        """
        columns = entry.columns
        long = any(
            type(cell) is float and cell.is_integer() and abs(cell) >= EXACT for cell in columns.values()
        )
        doubts = (
            (NO_SIZE, misspelt_size(columns)),
            (NO_DIGITS, long),
            (SHORTENED, bool(self.id_column) and is_shortened(entry.id)),
        )
        for what, there in doubts:
            if there:
                count, line, example = self._doubts.get(what, (0, entry.line, shown(entry.id)))
                self._doubts[what] = count + 1, line, example

    def _doubtful(self) -> list[str]:
        told = [self.decimals] if self.decimals else []
        for what, (count, line, example) in self._doubts.items():
            told.append(f"{rows(count)} {what.format(example)}, first line {line}")
        return told

    def _first_time(self, names: list[Problem]) -> list[Problem]:
        """Mistakes in the names of columns are told once, at the header where there is one."""
        news = [one for one in names if one.column not in self._told and len(self._told) < MOST_COLUMNS]
        self._told.update(one.column for one in news)
        return [replace(one, line=self.header or one.line) for one in news]

    def _names(self, line: int, pairs: Iterable[tuple[str, str]]) -> list[Problem]:
        return [_misnamed(line, name, known) for name, known in pairs if not self._is_own(name)]

    def _is_own(self, name: str) -> bool:
        """Whether a column is meant as the user's own: he says so, or rows of the batch have it already."""
        own = self._leave.own_columns
        if name in own or shown(name)[1:-1] in own:
            return True
        if self._owned is None:
            self._owned = self._ask_owned()
        return name in self._owned

    def _values(self, entry: Entry) -> list[Problem]:
        told = list[tuple[str, str]]()
        if self.id_column and entry.id in NO_VALUES:
            told.append((self.id_column, no_value(entry.id, "give the row an id of its own")))
        if hidden := unseen(entry.request["image_url"]):
            told.append(("image_url", hidden))
        if self.expiring and (expired := self.expiring.complaint(entry.request["image_url"])):
            told.append(("image_url", expired))
        if entry.type == "annotating":
            request = entry.request
            options = request.get("annotation_option", ())
            told += question(request.get("instruction", ""), options, may_be_single=self._leave.single_option)
        return [Problem(entry.line, column, words, {}) for column, words in told]

    def _remember(self, columns: Collection[str]) -> None:
        if len(self._seen) < MOST_COLUMNS:
            self._seen.update(columns)
            self.columns.update((name, None) for name in columns if name not in KNOWN)


def _misnamed(line: int, name: str, known: str) -> Problem:
    spelled = shown(name)[1:-1]
    told = (
        f"is another spelling of {known}, which is missing (rename {shown(name)} to {known}, or keep it as a "
        f"column of yours: {typed('--own-column', spelled)})"
    )
    return Problem(line, spelled, told, {})


def _named(column: str) -> str:
    """A column as people are shown it."""
    return (
        column
        if column.isprintable() and 0 < len(column) <= 40 and column == column.strip()
        else shown(column)
    )
