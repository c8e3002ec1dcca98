"""The second look at rows that would be bought."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from mwbatch.core.manifest.entry import Entry, Problem
from mwbatch.core.manifest.jsonl_rows import JsonlReader
from mwbatch.core.manifest.parsing import read_csv, read_jsonl
from mwbatch.core.spending.scrutiny import MOST_COLUMNS, Leave, Scrutiny
from mwbatch.core.spending.suspect_cells import question
from mwbatch.core.urls.expiry import Clock

URL = "https://images.example.com/1.jpg"
OLD = f"{URL}?Signature=s&Key-Pair-Id=k&Expires=1700000000"
ASKED = {
    "image_url": URL,
    "instruction": "Is it?",
    "annotation_option": ["good", "bad"],
    "tags": [{"left": 1, "top": 2, "width": 3, "height": 4}],
}
AT = Clock(datetime(2026, 11, 30, tzinfo=UTC), "the API's clock")


def entries(*rows: dict[str, Any]) -> list[Entry]:
    """The entries of rows that are good by themselves."""
    found = read_jsonl([b"".join(json.dumps(row).encode() + b"\n" for row in rows)])
    return [one for one in found if isinstance(one, Entry)]


def says(row: dict[str, Any], leave: Leave | None = None) -> list[tuple[str | None, str]]:
    """What is found wrong with one row."""
    scrutiny = Scrutiny(leave or Leave())
    scrutiny.id_column = "id" if "id" in row else ""
    scrutiny.set_clock(AT)
    (entry,) = entries(row)
    found = scrutiny.look(entry)
    assert (found or []) == scrutiny.problems(entry)
    return [(problem.column, problem.message.partition(" (")[0]) for problem in found or []]


@pytest.mark.parametrize(
    "row",
    [
        {"image_url": URL},
        ASKED,
        *({"image_url": URL, "id": name} for name in ("NA", "N/A", "null", "None", "Nan", "0")),
        *({**ASKED, "annotation_option": ["yes", name]} for name in ("None", "n/a", "NA", "null", "Nan")),
        {**ASKED, "annotation_option": ["yes, a lot", "no/never"]},
        {**ASKED, "instruction": "Is it none?"},
        {"image_url": f"{URL}?Expires=1"},
    ],
)
def test_honest_rows(row: dict[str, Any]) -> None:
    """What people write and mean is taken: Namibia, no answer that fits, a comma in an answer,
    a parameter of any name.
    """
    assert says(row) == []


NOTHING = ", which programs write where nothing is there"


@pytest.mark.parametrize("name", ["nan", "NaN", "undefined", "#N/A", "#REF!", "<NA>", "#DIV/0!"])
def test_what_programs_write(name: str) -> None:
    """What programs write where nothing is there is no id, no answer, and no question."""
    told = f"is {name!r}{NOTHING}"
    assert says({"image_url": URL, "id": name}) == [("id", told)]
    assert says({**ASKED, "annotation_option": ["yes", name]}) == [("annotation_option", told)]
    assert says({**ASKED, "instruction": name}) == [("instruction", told)]


@pytest.mark.parametrize("asked", ["None", "null", " NULL ", "n/a", "NaT", "nil", "NA"])
def test_no_question(asked: str) -> None:
    """None and the like are answers, but never a question."""
    assert says({**ASKED, "instruction": asked}) == [("instruction", f"is {asked!r}{NOTHING}")]


ALONE = {
    "yes": "give two or more, good|bad; or allow it: --single-option",
    "yes,no": "answers are separated by |: 'yes|no'; or allow it: --single-option",
    "yes; no ;maybe": "answers are separated by |: 'yes|no|maybe'; or allow it: --single-option",
    "good/bad": "answers are separated by |: 'good|bad'; or allow it: --single-option",
    "good\nbad": "answers are separated by |: 'good|bad'; or allow it: --single-option",
    "1,": "give two or more, good|bad; or allow it: --single-option",
}


@pytest.mark.parametrize(("option", "way"), ALONE.items())
def test_one_answer_only(option: str, way: str) -> None:
    """One answer is no choice: how several are written is said, and one is enough for a user who says so."""
    assert question("Is it?", [option], may_be_single=False) == [
        ("annotation_option", f"has one answer only to choose, {option!r} ({way})")
    ]
    assert says({**ASKED, "annotation_option": [option]}, Leave(single_option=True)) == []


@pytest.mark.parametrize("unseen", ["\u200b", "\ufeff", "\u2060", "\u200e", "\u00ad", "\ue000"])
def test_what_nobody_sees_at_the_end_of_a_url(unseen: str) -> None:
    """A picture's address that ends with a character which nobody sees is not bought:
    the picture is found without it alone.
    """
    row = {"image_url": URL + unseen}
    assert says(row) == [("image_url", f"ends with {unseen!a}, which nobody sees")]
    assert 1 in Scrutiny(Leave()).suspects(entries({"image_url": URL}, row))
    for url in (f"{URL}?name={unseen}%20", f"https://images.example.com/می{unseen}خواهم.jpg"):
        assert says({"image_url": url}) == []


def test_expired() -> None:
    """A picture whose URL has expired is no picture; nothing is said where nobody told the time."""
    assert says({"image_url": OLD}) == [
        ("image_url", ("its signature expired at 2023-11-14T22:13:20Z, 1,111 days ago by the API's "
                      "clock: nobody could see the picture"))
    ]  # fmt: skip
    scrutiny = Scrutiny(Leave())
    there = entries({"image_url": URL}, {"image_url": f"{URL}?x=1"}, {"image_url": OLD})
    assert [scrutiny.needs_clock(there[:end]) for end in (0, 2, 3)] == [False, False, True]
    assert scrutiny.needs_clock([Problem(1, None, "bad")]) is False
    assert scrutiny.look(there[2]) is None
    assert scrutiny.has_expired(there[2]) is False
    scrutiny.set_clock(AT)
    assert scrutiny.needs_clock(there) is False
    assert [scrutiny.has_expired(one) for one in there] == [False, False, True]
    assert scrutiny.expiring is not None
    scrutiny.look(there[2])
    assert (scrutiny.expiring.expired, scrutiny.json()["expired_urls"], len(scrutiny.text())) == (1, 1, 1)


MISNAMED = (
    "is another spelling of tags, which is missing (rename 'Tags' to tags, or keep it as a column of yours: "
    "--own-column Tags)"
)


def test_misnamed_once() -> None:
    """A misspelt name makes every row wrong that has it, and is told once;
    with all its faults where a row is put aside.
    """
    scrutiny = Scrutiny(Leave())
    first, second, third = entries(*({"image_url": f"{URL}?{n}", "Tags": n} for n in range(3)))
    assert scrutiny.look(first) == [Problem(1, "Tags", MISNAMED)]
    assert scrutiny.look(second) == scrutiny.names(3, ["Tags"]) == []
    assert scrutiny.problems(third) == [Problem(3, "Tags", MISNAMED)]
    assert scrutiny.names(4, ["image_url", "Type"])[0].line == 4


def test_misnamed_in_the_header() -> None:
    """Where a header names the columns, the mistake stands there, in whatever row it is found."""
    scrutiny = Scrutiny(Leave())
    scrutiny.header = 1
    (entry,) = read_csv([f"image_url,Tags\n\n{URL},x\n".encode()])
    assert isinstance(entry, Entry)
    assert (entry.line, scrutiny.look(entry)) == (3, [Problem(1, "Tags", MISNAMED)])


def test_columns_of_the_users_own() -> None:
    """A name that the user calls his own is kept, also as a message writes it;
    so is one that the batch has.
    """
    odd = {"image_url": URL, "Tags": 1, "\u200btype": 2, "ID": 3}
    asked: list[int] = []

    def owned() -> tuple[str, ...]:
        asked.append(1)
        return ("ID",)

    scrutiny = Scrutiny(Leave(frozenset({"Tags", "\\u200btype"})), owned)
    for entry in entries(odd, {**odd, "x": 1}):
        assert scrutiny.look(entry) is None
    assert (asked, [*scrutiny.columns]) == ([1], ["Tags", "\u200btype", "ID", "x"])
    assert Scrutiny(Leave(frozenset({"tags"}))).look(entries(odd)[0]) != []


def test_what_is_bought() -> None:
    """Types and columns of the good rows are told, a few of many; and that a column is not what it seems."""
    scrutiny = Scrutiny(Leave())
    mine = {"image_url": URL, "shelf": 1, "callback_url": ""}
    for entry in entries(mine, {**ASKED, "tags": [{**ASKED["tags"][0], "n": 1}]}):  # type: ignore[dict-item]
        assert scrutiny.look(entry) is None
    told = scrutiny.composition({"tagging": 1, "annotating": 1234})
    assert told == "1 tagging, 1,234 annotating; yours: shelf, callback_url"
    assert scrutiny.text() == [
        "column callback_url is not used: mwbatch gives each task an address of its own"
    ]
    assert scrutiny.json() == {"own_columns": ["shelf", "callback_url"], "expired_urls": 0,
    "expiring_urls": 0, "first_expiry": None}  # fmt: skip
    assert Scrutiny(Leave()).composition({"tagging": 0, "annotating": 0}) == "0 tagging, 0 annotating"


def test_ever_new_columns() -> None:
    """Rows that each have other columns cost no memory without end."""
    scrutiny = Scrutiny(Leave())
    for entry in entries(
        *({"image_url": f"{URL}?{n}", f"a\u200b{n}": 1, f"b{n}": 1} for n in range(MOST_COLUMNS))
    ):
        scrutiny.look(entry)
    assert len(scrutiny.columns) == MOST_COLUMNS
    assert scrutiny.composition({"tagging": 1, "annotating": 0}).endswith(", b5 and 1,012 more")
    assert "'a\\u200b0', b0" in scrutiny.composition({"tagging": 1, "annotating": 0})
    names = ["t" + "_" * n + "ags" for n in range(1, 100)]
    many = [scrutiny.names(1, [f"{a}{b}" for b in ("", "-", "--")]) for a in names]
    assert sum(map(len, many)) <= MOST_COLUMNS


@pytest.mark.parametrize(
    ("row", "suspect"),
    [
        ({"image_url": URL, "shelf": 2, "id": "b"}, False),
        ({"image_url": URL, "id": "b"}, False),
        ({"image_url": URL, "id": "nan"}, True),
        ({"image_url": URL, "id": "b", "more": 1}, True),
        ({"image_url": URL, "id": "b", "Type": 1}, True),
        ({"image_url": OLD, "id": "b"}, True),
        ({**ASKED, "id": "b"}, True),
    ],
)
def test_suspects(row: dict[str, Any], suspect: bool) -> None:
    """Rows are passed over that cannot be wrong, and that have no column that is new."""
    scrutiny = Scrutiny(Leave())
    first, second = entries({"image_url": URL, "id": "a", "shelf": 1}, row)
    assert scrutiny.suspects([first, second])[0] == 0
    scrutiny.look(first)
    assert scrutiny.suspects([first, second]) == [1] * suspect


def test_own_in_one_row_and_misspelt_in_the_next() -> None:
    """That a column was the user's own in a row that has the known one
    too says nothing about rows that lack it.
    """
    scrutiny = Scrutiny(Leave())
    first, second = entries({"image_url": URL, "Tags": 1, "tags": None}, {"image_url": URL, "Tags": 1})
    assert scrutiny.look(first) is None
    assert scrutiny.suspects([first, second]) == [1]


def test_what_will_be_of_no_use_is_told_before_it_is_paid() -> None:
    """A size that is none, and a number that has lost digits, refuse no row,
    and are told with their count and first line.
    """
    good = {"image_url": URL, "image_width": "640.0", "image_height": 480, "weight": 1.5, "n": 7.0}
    bad = {"image_url": URL, "image_width": "wide", "order": 12345678901234567890123}
    there = entries(good, bad, bad, {"image_url": URL})
    scrutiny = Scrutiny(Leave())
    assert [scrutiny.look(there[n]) for n in scrutiny.suspects(there)] == [None] * 3
    assert scrutiny.suspects(there) == [0, 1, 2]
    sizes, digits = scrutiny.text()
    assert sizes.startswith("2 rows with an image_width and image_height that are no size")
    assert sizes.endswith(", first line 2")
    assert digits == (
        "2 rows with a number of more digits than a number in JSON keeps (write it in quotes, as "
        "text), first line 2"
    )


def test_ids_that_a_spreadsheet_has_shortened() -> None:
    """An id that is a long number as spreadsheets show it refuses no row, and is told with an example."""
    names = ["1.2E+22", "1,2E+22", "1e+05", "7.0", "A+B", "12E+22", "1E+5x", "a"]
    there = entries(*({"id": name, "image_url": f"{URL}?{n}"} for n, name in enumerate(names)))
    scrutiny = Scrutiny(Leave())
    scrutiny.header, scrutiny.id_column = 1, "id"
    assert [scrutiny.look(one) for one in there] == [None] * len(names)
    (told,) = scrutiny.text()
    assert told.startswith("3 rows with an id that a spreadsheet has shortened, such as '1.2E+22' (")
    assert told.endswith(", first line 1")
    plain = entries({"id": "1.2E+22", "image_url": URL}, {"id": "a+b", "image_url": URL})
    assert (scrutiny.suspects(plain), scrutiny.suspects(plain[1:])) == ([0], [])


def test_ids_that_are_decimal_numbers() -> None:
    """They are counted by who reads them, and told with the first; nothing is told where there are none."""
    reader = JsonlReader()
    assert reader.decimals == ""
    reader.feed(
        b"".join(b'{"id": %b, "image_url": "https://a/1"}\n' % name for name in (b"1", b"2.0", b"3.0"))
    )
    scrutiny = Scrutiny(Leave())
    scrutiny.decimals = reader.decimals
    (told,) = scrutiny.text()
    assert told.startswith("2 rows with a decimal number for an id, known by its digits: 2.0 as '2' (")
    assert told.endswith("first line 2")


def test_a_question_that_a_spreadsheet_has_cut() -> None:
    """A question of just the characters that a spreadsheet keeps of a cell was cut."""
    assert question("x" * 32_766, ["a", "b"], may_be_single=False) == []
    ((column, told),) = question("x" * 32_767, ["a", "b"], may_be_single=False)
    assert (column, told.partition(":")[0]) == (
        "instruction",
        "has 32,767 characters, the most that a spreadsheet keeps of a cell",
    )
