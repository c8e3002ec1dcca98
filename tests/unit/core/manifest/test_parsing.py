import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.manifest.csv_plain import PlainLines
from mwbatch.core.manifest.csv_records import MAX_CELL
from mwbatch.core.manifest.entry import cells_of
from mwbatch.core.manifest.jsonl_rows import MOST_NAMES
from mwbatch.core.manifest.parsing import (
    CsvReader,
    Entry,
    Found,
    JsonlReader,
    Problem,
    digest_id,
    read_csv,
    read_jsonl,
)
from mwbatch.core.manifest.reader import MAX_LINE
from mwbatch.core.spending.scrutiny import Leave, Scrutiny

URL = "https://images.example.com/1.jpg"
BOX = {"left": 1, "top": 2, "width": 3, "height": 4}
NAMES = [
    "id",
    "image_url",
    "type",
    "objects_to_tag",
    "instruction",
    "annotation_option",
    "tags",
    "note",
    "mwbatch_error",
]

text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
word = st.text("abcdefg ü", min_size=1, max_size=5).map(lambda found: f"x{found}x")
number = st.integers(1, 9) | st.floats(0.5, 9)
box = st.fixed_dictionaries(
    {"left": number, "top": number, "width": number, "height": number}, optional={"brand": word}
)
tagging = st.fixed_dictionaries(
    {"id": word, "image_url": st.just(URL), "note": text},
    optional={"type": st.just("tagging"), "mwbatch_error": text},
)
annotating = st.fixed_dictionaries(
    {
        "id": word,
        "image_url": st.just(URL),
        "note": text,
        "instruction": word,
        "annotation_option": st.lists(word, min_size=1, max_size=3, unique=True),
        "tags": st.lists(box, min_size=1, max_size=3),
    }
)


def as_csv(rows: list[dict[str, Any]]) -> bytes:
    """Write rows as a spreadsheet would: every column in every row, lists as JSON."""
    out = io.StringIO(newline="")
    # All quoted: Python writes a bare carriage return without quotes where lines end with \n.
    writer = csv.DictWriter(out, NAMES, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writeheader()
    for row in rows:
        writer.writerow({k: json.dumps(v) if isinstance(v, list) else v for k, v in row.items()})
    return out.getvalue().encode()


def as_jsonl(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def said(found: list[Found]) -> list[str]:
    return [one.text("m") if isinstance(one, Problem) else f"good {one.line}" for one in found]


def csv_says(raw: bytes) -> list[str]:
    return said(list(read_csv([raw])))


def jsonl_says(raw: bytes) -> list[str]:
    return said(list(read_jsonl([raw])))


@given(st.lists(tagging | annotating, min_size=1, max_size=4))
def test_formats_agree(rows: list[dict[str, Any]]) -> None:
    """The same rows written as CSV and as JSONL are the same entries."""
    from_csv = [one._replace(line=0) for one in read_csv([as_csv(rows)]) if isinstance(one, Entry)]
    from_jsonl = [one._replace(line=0) for one in read_jsonl([as_jsonl(rows)]) if isinstance(one, Entry)]
    assert from_csv == from_jsonl
    assert [one.id for one in from_csv] == [row["id"] for row in rows]
    assert [one.columns["note"] for one in from_csv] == [row["note"] for row in rows]


@given(
    st.lists(tagging | annotating, min_size=1, max_size=4),
    st.integers(1, 9),
    st.sampled_from([as_csv, as_jsonl]),
)
def test_blocks_do_not_matter(rows: list[dict[str, Any]], size: int, write: Any) -> None:
    """However a file is cut into blocks, the same comes out of it, line numbers included."""
    raw = write(rows)
    read = read_csv if write is as_csv else read_jsonl
    assert list(read([raw])) == list(read([raw[n : n + size] for n in range(0, len(raw), size)]))


DRESSES = st.sampled_from(
    [
        str.upper,
        str.title,
        lambda name: f"\u200b{name}",
        lambda name: name[:-1] if name[-1] == "s" else f"{name}s",
        lambda name: name.replace("_", " ") + "-",
    ]
)


@given(
    annotating,
    st.sampled_from(["instruction", "annotation_option", "tags"]),
    DRESSES,
    st.sampled_from([as_csv, as_jsonl]),
)
def test_a_name_in_another_dress(row: dict[str, Any], name: str, dress: Any, write: Any) -> None:
    """An annotating row whose columns are dressed otherwise is never a good tagging row:
    each name is told, in both formats.
    """
    columns = {known: dress(known) if known in (name, "instruction", "tags") else known for known in row}
    raw = write([row])
    head, _, rest = raw.partition(b"\n")
    dressed = {columns.get(known, known): cell for known, cell in row.items()}
    raw = as_jsonl([dressed]) if write is as_jsonl else _header(head, columns) + b"\n" + rest
    for found in list((read_csv if write is as_csv else read_jsonl)([raw])):
        if isinstance(found, Entry):
            assert {known for _, known in found.misnamed} == {
                known for known, other in columns.items() if other != known
            }
            assert Scrutiny(Leave()).look(found)
        else:
            assert found.column in {"instruction", "annotation_option", "tags"}


def _header(head: bytes, columns: dict[str, str]) -> bytes:
    return ",".join(
        f'"{columns.get(name, name)}"' for name in head.decode().replace('"', "").split(",")
    ).encode()


def test_keys_may_differ_line_by_line() -> None:
    """In JSONL a key is another spelling only where the known one is missing in that row; null is there."""
    lines: list[dict[str, Any]] = [{"Tags": 1}, {"Tags": 1, "tags": None}, {"x": 1}, {"Tags": 1, "x": 1}]
    raw = as_jsonl([{"image_url": URL, **line} for line in lines])
    found = [bool(one.misnamed) for one in read_jsonl([raw]) if isinstance(one, Entry)]
    assert found == [True, False, False, True]


def test_ever_new_keys() -> None:
    """Lines that each have keys of their own cost no memory without end, and are told all the same."""
    reader, odd = JsonlReader(), as_jsonl([{"image_url": URL, "Tags": 1}])
    lines = as_jsonl([{"image_url": URL, f"k{n}": n, f"m{n}": n} for n in range(MOST_NAMES)])
    found = [*reader.feed(lines), *reader.feed(odd)]
    assert [one.line for one in found if isinstance(one, Entry) and one.misnamed] == [MOST_NAMES + 1]
    assert len(reader._plain) <= MOST_NAMES


SHREDS = st.lists(
    st.sampled_from([b'"', b",", b"\n", b"\r", b"\0", b"\xff", b"{", b"[", b"\\ud800", b"a", b":"])
)


@given(st.binary() | SHREDS.map(b"".join))
def test_nothing_raises(raw: bytes) -> None:
    """Whatever the bytes are, reading them raises nothing."""
    list(read_csv([b"image_url,tags\n" + raw, raw]))
    list(read_csv([raw, raw]))
    list(read_jsonl([raw, raw]))


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["id", "left", "width"]) | st.text(), inner)
        ),
        max_leaves=6,
    ),
    st.sampled_from(NAMES),
)
def test_no_value_raises(value: Any, name: str) -> None:
    """Whatever JSON value stands in a field, it is an entry or a problem of that row."""
    row = {"image_url": URL, "instruction": "q", "annotation_option": ["a"], "tags": []} | {name: value}
    assert list(read_jsonl([json.dumps(row).encode()]))


CELLS = st.one_of(
    st.sampled_from(
        [URL, "http://a:1", "https://b.example/é", "", "a", "0" * 257, "a b", '"a"', '"a\n,b"', "x\r", "\t"]
    ),
    st.text('a,"\r \u2028\x85é', max_size=2),
)


@given(
    st.sampled_from(
        [["image_url"], ["id", "image_url"], ["note", "image_url", "id"], ["Id", "image_url", "n"]]
    ),
    st.lists(st.lists(st.one_of(st.just(URL), CELLS), max_size=4), max_size=4),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(1, 80),
)
def test_plain_lines_are_read_as_all_others(
    names: list[str], rows: list[list[str]], end: str, size: int
) -> None:
    """Lines that are read many at a time give the rows and the problems that they give one by one,
    whatever comes between.
    """
    raw = "".join(f"{','.join(cells)}{end}" for cells in [["id9", URL, "z"][-len(names) :], *rows]).encode()
    blocks = [f"{','.join(names)}\n".encode(), *(raw[n : n + size] for n in range(0, len(raw), size))]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(PlainLines, "under", lambda *_: None)
        one_by_one = list(read_csv(blocks))
    assert list(read_csv(blocks)) == one_by_one


def test_plain_lines_are_read_many_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks at each of a million rows that ask for the same kind of thing in the same way."""
    monkeypatch.setattr(CsvReader, "_row", None)
    for names, cells, ids in (
        ("image_url", URL, [digest_id("tagging", {"image_url": URL, "objects_to_tag": "brands"})] * 3),
        ("note,id,image_url", f"a note of mine,7,{URL}", ["7"] * 3),
    ):
        there = list(read_csv([f"{names}\n".encode(), f"{cells}\n{cells}\r\n{cells}\n".encode()]))
        assert [one.id for one in there if isinstance(one, Entry)] == ids
        assert [one.line for one in there] == [2, 3, 4]


def test_lines_are_counted_through_quotes() -> None:
    """A row is at the physical line where it begins, also after cells with line ends and empty rows."""
    raw = b'image_url,note\r\nhttps://a/1,"x\r\ny\nz"\r\n\r\n,\r\nhttps://a/2,"p\n"\r\nhttps://a/3,\xe2\x80\xa8\n'
    assert csv_says(raw) == ["good 2", "good 7", "good 9"]


def test_digest_ids_cover_the_request_only() -> None:
    """Without an id column a row goes by a digest of its type and request: other columns do not count."""
    plain, noted = read_jsonl(
        [b'{"image_url":"https://a/1"}\n{"note":1,"objects_to_tag":"brands","image_url":"https://a/1"}']
    )
    assert isinstance(plain, Entry)
    assert isinstance(noted, Entry)
    assert (
        plain.id == noted.id == digest_id("tagging", {"image_url": "https://a/1", "objects_to_tag": "brands"})
    )
    assert not plain.given
    assert noted.columns == {"note": 1}


def test_tags_that_carry_more_come_back() -> None:
    """Only the five fields of a tag are sent; tags with other keys are kept as written among the columns."""
    tags = [{"left": 1, "top": 2.0, "width": 3, "height": 4, "brand": "Pepsi"}]
    row = {"image_url": URL, "instruction": "q", "annotation_option": "a | b", "tags": tags}
    (entry,) = read_jsonl([json.dumps(row).encode()])
    assert isinstance(entry, Entry)
    assert entry.request["tags"] == [{"id": "0", "left": 1, "top": 2, "width": 3, "height": 4}]
    assert entry.request["annotation_option"] == ["a", "b"]
    assert entry.columns == {"tags": tags}


HEADERS = {
    b"id,image_url,id\n": ["m:1: id: is the name of more than one column (each needs its own)"],
    b'image_url,"a\nb","a\nb"\n': [r"m:1: a\nb: is the name of more than one column (each needs its own)"],
    b"id,custom_id,image_url\n": ["m:1: custom_id: is a second id column beside id (keep one)"],
    b"\n\nimage\n": ["m:3: image_url: there is no such column (rename 'image' to image_url)"],
    b"Image_URL,x\na,b\n": ["m:1: image_url: there is no such column (rename 'Image_URL' to image_url)"],
    b"sep=;\n": [
        (
            "m:1: image_url: there is no such column (delete this line, which tells a spreadsheet alone "
            "how cells are separated)"
        )
    ],
    b"a;b\n": [
        (
            "m:1: image_url: there is no such column (the columns seem to be separated by semicolons: "
            "separate them by commas)"
        )
    ],
    b"a\tb\n": [
        (
            "m:1: image_url: there is no such column (the columns seem to be separated by tabs: separate "
            "them by commas)"
        )
    ],
    b"a,b\n": [
        "m:1: image_url: there is no such column (the first line must name the columns; it has 'a', 'b')"
    ],
    b"image_url,\xff\na,b\n": [r"m:1: \udcff: is not UTF-8: byte 0xff (save the file as UTF-8)"],
    b"\xef\xbb\xbf image_url ,x\n": [],
    b" \nimage_url,x,,\nhttps://a/1,y\nhttps://a/1,y,,\n": ["good 3", "good 4"],
    b"image_url,x,\nhttps://a/1,y,z\n": ["good 2"],
    b"": [],
}


@pytest.mark.parametrize(("raw", "problems"), HEADERS.items())
def test_headers(raw: bytes, problems: list[str]) -> None:
    """A header is checked as a whole, and what is missing is guessed at."""
    assert csv_says(raw) == problems


UNCLOSED = 'a quote (") is opened that nothing closes (close it, or double a quote that is meant)'
LARGE = (
    'has a cell of more than 1,048,576 characters: a quote (") that nothing closes? (else write these '
    "rows as JSONL, where a line may have 16 MiB)"
)
LINES = {
    b"https://a/1": ["m:2: has 1 cell, but the header has 2 (a comma for each empty one, too)"],
    b"https://a/1,x,, \nhttps://a/2,y\n  ": ["good 2", "good 3"],
    b" ,\t\n \nhttps://a/2,y": ["good 4"],
    b"https://a/1,x,y": ["m:2: has 3 cells, but the header has 2 (quote cells that hold commas)"],
    b"https://a/1,\0": ["m:2: note: holds a NUL character (remove it)"],
    b"https://a/1,\xe9t\xe9\nhttps://a/2,x": [
        "m:2: note: is not UTF-8: byte 0xe9 (save the file as UTF-8)",
        "good 3",
    ],
    b'https://a/1,"x\nhttps://a/2,y\nhttps://a/3,z': [f"m:2: {UNCLOSED}", "good 3", "good 4"],
    b'https://a/1,"x"y\nhttps://a/2,y': [
        'm:2: a quoted cell goes on after its closing quote (double a quote inside of it: "")',
        "good 3",
    ],
    b"https://a/1,x\rhttps://a/2,y": [
        "m:2: a carriage return stands inside a line (end lines with \\n or \\r\\n)"
    ],
    b'https://a/1,"' + b"x" * MAX_CELL + b'x\ny"\nhttps://a/2,y': [
        f"m:2: {LARGE}",
        "m:3: has 1 cell, but the header has 2 (a comma for each empty one, too)",
        "good 4",
    ],
}


@pytest.mark.parametrize(("raw", "problems"), LINES.items(), ids=range(len(LINES)))
def test_broken_lines(raw: bytes, problems: list[str]) -> None:
    """A broken line is reported where it stands, and the next ones are read."""
    assert csv_says(b"image_url,note\n" + raw) == problems


OBJECTS = {
    b"[1]": ["m:1: must be a JSON object, not [1]"],
    b"{'image_url': None}": [("m:1: not JSON: Expecting property name enclosed in double quotes: line 1 "
                             "column 2 (char 1) (this is how Python prints a value: write it with "
                             "json.dumps)")],
    b"{": [("m:1: not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1) "
           "(one JSON object a line)")],
    b'{"a":\xff}': ["m:1: not UTF-8 (one JSON object a line)"],
    b'{"image_url":"https://a/1","image_url":"https://a/2"}': [("m:1: the key 'image_url' stands twice "
                                                               "(one JSON object a line)")],
    b'{"image_url":"https://a/1","n":{"x":1,"x\\u0000":2,"x":3}}': [("m:1: the key 'x' stands twice "
                                                                    "(one JSON object a line)")],
    b'{"a":' + b"[" * 80 + b"]" * 80 + b"}": ["m:1: nested deeper than 64 (one JSON object a line)"],
    b'{"image_url":"https://a/1","n":[{"a":"\\ud83d"}]}': [(r"m:1: n: holds half a character, the lone "
                                                           r"surrogate \ud83d (remove it)")],
    b'{"image_url":"https://a/1","\\u0000":0}': [r"m:1: \x00: holds a NUL character (remove it)"],
    b'{"image_url":"https://a/1","n":"\\ud83d\\ude00\\\\u0000"}': ["good 1"],
    b'\xef\xbb\xbf{"image_url":"https://a/1"}\r\n\n \n{"image_url":"https://a/2"}': ["good 1", "good 4"],
}  # fmt: skip


@pytest.mark.parametrize(("raw", "problems"), OBJECTS.items(), ids=range(len(OBJECTS)))
def test_objects(raw: bytes, problems: list[str]) -> None:
    """A line of JSONL is one object with each key once, and all its text is text."""
    assert jsonl_says(raw) == problems


def test_only_for_what_is_missing_another_name_is_guessed() -> None:
    """What is there and wrong is said as it is, though another column's name would mean the same."""
    [missing, wrong] = jsonl_says(b'{"url":"https://a.b/1"}\n{"image_url":5,"url":"https://a.b/2"}\n')
    assert missing.endswith(" (or rename 'url' to image_url)")
    assert wrong == "m:2: image_url: must be text, not a number (the http or https address of the picture)"


def test_one_id_column_throughout() -> None:
    """The first row of a JSONL manifest settles which column names the rows, or that none does."""
    row = '{"image_url":"https://a/%d"%s}\n'
    named = (
        row % (1, ',"custom_id":7')
        + row % (2, ',"id":8')
        + row % (3, "")
        + row % (4, ',"custom_id":"x","id":""')
    ).encode()
    empty = "custom_id: is empty (every row needs its own id, or none has one)"
    told = "id: is an id column, but since line 1 the rows are known by custom_id (use one throughout)"
    assert jsonl_says(named) == ["good 1", f"m:2: {told}", f"m:2: {empty}", f"m:3: {empty}", f"m:4: {told}"]
    bare = "m:2: id: is an id column, but since line 1 the rows have no id (use one throughout)"
    assert jsonl_says((row % (1, "") + row % (2, ',"id":8')).encode()) == ["good 1", bare]


@pytest.mark.parametrize("reader", [CsvReader(), JsonlReader()])
def test_endless_line(reader: CsvReader | JsonlReader) -> None:
    """A line beyond the limit ends the reading: memory stays bounded whatever is fed."""
    reader.feed(b"image_url\n" if isinstance(reader, CsvReader) else b"\n")
    found = reader.feed(b"x" * (MAX_LINE + 1))
    assert said(found) == ["m:2: is longer than 16 MiB: the rest was not read (is this a manifest?)"]
    assert reader.feed(b"\n") == reader.finish() == []


def test_id_column_is_told() -> None:
    """A reader knows its id column once the first row was read."""
    reader = CsvReader()
    assert reader.id_column is None
    reader.feed(b"global_key,image_url\n")
    assert reader.id_column == "global_key"


@pytest.mark.parametrize(
    ("row", "known"),
    [
        ({"Tags": 1}, "tags"),
        ({"Type": "x", "instruction": "q", "annotation_option": ["a", "b"], "tags": [BOX]}, "type"),
        ({"Tags": 1, "Type": "x", "type": "tagging", "objects_to_tag": "brands"}, "tags"),
    ],
)
def test_a_misnamed_row_is_handed_back(row: dict[str, Any], known: str) -> None:
    """Written again, a row is told for the same names as before:
    what it is is not said before they are mended.
    """
    (entry,) = read_jsonl([as_jsonl([{"image_url": URL, **row}])])
    assert isinstance(entry, Entry)
    assert [meant for _, meant in entry.misnamed] == [known]
    cells = cells_of(entry, None)
    assert not cells.get("type")
    assert list(read_jsonl([as_jsonl([cells])])) == [entry]


def test_rows_of_two_batches_are_not_mixed() -> None:
    """Of lists of mistakes put together the rows of the second batch are mistakes, not rows of the first."""
    rows = [
        {"image_url": URL + str(n), "mwbatch_batch": batch} for n, batch in enumerate(("b1", "", "b2", "b1"))
    ]
    reader = JsonlReader()
    found = [*reader.feed(as_jsonl(rows)), *reader.finish()]
    assert [isinstance(one, Entry) for one in found] == [True, True, False, True]
    assert isinstance(found[2], Problem)
    assert (
        found[2]
        .text("all.jsonl")
        .startswith("all.jsonl:3: mwbatch_batch: is 'b2', but rows before are of batch b1")
    )


def test_a_list_of_invalid_rows_names_its_batch() -> None:
    """The batch that rows put aside belong to is read with them, and is no column of the user's."""
    reader = JsonlReader()
    (entry,) = reader.feed(as_jsonl([{"image_url": URL, "mwbatch_batch": "b2345"}]))
    assert isinstance(entry, Entry)
    assert (reader.batch_id, entry.columns) == ("b2345", {})


def test_a_row_is_handed_back() -> None:
    """A good row that is written again is read as the same one."""
    (entry,) = read_jsonl([as_jsonl([{"id": "a", "image_url": URL, "Tags": 1, "tags": None}])])
    assert isinstance(entry, Entry)
    cells = cells_of(entry, "id")
    assert (cells["type"], cells["objects_to_tag"]) == ("tagging", "brands")
    assert list(read_jsonl([as_jsonl([cells])])) == [entry]


def test_many_columns() -> None:
    """A row of as many columns as a line can name is read in no more time for each than one of a few."""
    names = ["image_url", *(f"c{n}" for n in range(300_000)), "c7"]
    header, row = ",".join(names), ",".join(["https://images.example.com/1.jpg"] + ["x"] * 300_001)
    found = list(read_csv([header.encode(), b"\n", row.encode()]))
    assert [(one.line, one.column) for one in found if isinstance(one, Problem)] == [(1, "c7")]
