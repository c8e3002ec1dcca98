import json
from typing import Any

import pytest

from mwbatch.core.manifest.cells import MAX_PIXELS
from mwbatch.core.manifest.parsing import Entry, read_jsonl

URL = "https://images.example.com/1.jpg"
BOX = {"left": 1, "top": 2, "width": 3, "height": 4}
ASKED = {"image_url": URL, "instruction": "q", "annotation_option": ["a"], "tags": [BOX]}


def says(row: dict[str, Any]) -> list[str]:
    """What is wrong with one row, without file and line."""
    found = list(read_jsonl([json.dumps(row).encode()]))
    return ["" if isinstance(one, Entry) else one.text("m").removeprefix("m:1: ") for one in found]


URLS = {
    None: "is missing (the http or https address of the picture)",
    "": "is missing (the http or https address of the picture)",
    7: "must be text, not a number (the http or https address of the picture)",
    "ftp://a/b": "must begin with http:// or https://, not 'ftp://a/b'",
    "a.jpg": "must begin with http:// or https://, not 'a.jpg'",
    "https://": "names no host: 'https://'",
    "https:///a.jpg": "names no host: 'https:///a.jpg'",
    "https://[::1/a": "is not a URL: 'https://[::1/a': Invalid IPv6 URL",
    "https://a:99999/b": "is not a URL: 'https://a:99999/b': Port out of range 0-65535",
    "https://a/b c": "has a space or control character (' ') in 'https://a/b c' (write it as %20 or "
    "the like)",
    " https://me:pw@a/b c": "has a space or control character (' ') in 'https://***@a/b c' (write it "
    "as %20 or the like)",
    " ": "is missing (the http or https address of the picture)",
    "https://me:pw@a/b": "carries a user name or password, which the people who label would see (use a "
    "signed link)",
    "https://:@a/b": "carries a user name or password, which the people who label would see (use a "
    "signed link)",
}


@pytest.mark.parametrize(("url", "message"), URLS.items())
def test_bad_urls(url: object, message: str) -> None:
    """A picture's address is http or https with a host and no password; a password is never shown."""
    assert says({"image_url": url}) == [f"image_url: {message}"]


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "HTTP://A.EXAMPLE",
        "https://a:65535?x=1#y",
        "https://[::1]:80/a",
        "https://bücher.example/ü",
        "http://a_b/c",
        " https://a/b\t",
        "https://a/b\u00a0\r\n",
    ],
)
def test_good_urls(url: str) -> None:
    """Ports, queries, upper case, IPv6 and letters beyond ASCII are fine, and blanks around it."""
    assert says({"image_url": url}) == [""]


IDS = {
    "": "is empty (every row needs its own id, or none has one)",
    True: "must be text or a whole number, not true or false",
    1.5: "must be text or a whole number, not 1.5",
    12345678901234567890123: "is a number with more digits than a number in JSON keeps (write it in "
    "quotes, as text, where it still has all)",
    2.0**53: "is a number with more digits than a number in JSON keeps (write it in quotes, as text, "
    "where it still has all)",
    "x" * 257: "has 257 characters (at most 256)",
    "a\tb": "has a control character in 'a\\tb'",
    "a\u2028b": "has a control character in 'a\\u2028b'",
    "a ": "begins or ends with a space: 'a '",
}


@pytest.mark.parametrize(("name", "message"), IDS.items())
def test_bad_ids(name: object, message: str) -> None:
    """An id is short text on one line, the same with and without trimming."""
    assert says({"unique_id": name, "image_url": URL}) == [f"unique_id: {message}"]


@pytest.mark.parametrize("number", [b"7", b"7.0"])
def test_number_is_an_id(number: bytes) -> None:
    """A whole number is an id by its digits, as it would be in CSV,
    also where pandas has made a float of it.
    """
    (entry,) = read_jsonl([b'{"id":%b,"image_url":" https://a/b "}' % number])
    assert isinstance(entry, Entry)
    assert entry.request["image_url"] == "https://a/b"
    assert (entry.id, entry.given) == ("7", True)


TYPES: list[tuple[dict[str, Any], list[str]]] = [
    (
        {"image_url": URL, "type": "tagging", "objects_to_tag": "brands", "instruction": "", "tags": None},
        [""],
    ),
    (ASKED | {"type": "annotating"}, [""]),
    ({"image_url": URL, "type": ["x"]}, ['type: must be tagging or annotating, not ["x"]']),
    (
        {"image_url": URL, "objects_to_tag": "cars"},
        [("objects_to_tag: must be brands, the only kind that the API tags, not 'cars'")],
    ),
    (
        {"image_url": URL, "type": "tagging", "instruction": "q", "tags": []},
        [
            f"{name}: is for annotating, but the type of this row is tagging (leave it empty)"
            for name in ("instruction", "tags")
        ],
    ),
    (
        ASKED | {"type": "annotating", "objects_to_tag": "brands"},
        [("objects_to_tag: is for tagging, but the type of this row is annotating (leave it empty)")],
    ),
    (
        ASKED | {"objects_to_tag": "brands"},
        [
            (
                "objects_to_tag: is for tagging, but this row has "
                "instruction, annotation_option, tags too (leave it empty)"
            )
        ],
    ),
    (
        {"image_url": "", "type": "annotating"},
        [
            "image_url: is missing (the http or https address of the picture)",
            "instruction: is missing (the question to answer for every tag)",
            'annotation_option: is missing (answers to choose from: good|bad, or ["good","bad"])',
            'tags: is missing (a JSON list of {"left","top","width","height"} in pixels)',
        ],
    ),
]


@pytest.mark.parametrize(("row", "problems"), TYPES, ids=range(len(TYPES)))
def test_types(row: dict[str, Any], problems: list[str]) -> None:
    """A row is of the type that it names, else of the one that its fields belong to, never of both."""
    assert says(row) == problems


FIELDS: list[tuple[str, Any, list[str]]] = [
    ("instruction", 5, ["must be text, not a number"]),
    ("instruction", " \n", ["is blank (the question to answer for every tag)"]),
    ("annotation_option", [], ["is an empty list (at least one answer to choose from)"]),
    ("annotation_option", "one", []),
    ("annotation_option", '["a|b", "c"]', []),
    ("annotation_option", "a||a", ["every option must be text that is not blank, not ''", "names 'a' twice"]),
    ("annotation_option", ["a", 1], ["every option must be text that is not blank, not 1"]),
    ("annotation_option", {"a": 1}, ["must be a list, not an object"]),
    ("annotation_option", "[a]", ["is not a JSON list: not JSON: Expecting value: line 1 column 2 (char 1)"]),
    (
        "annotation_option",
        "['a', 'b']",
        [
            (
                "is not a JSON list: not JSON: Expecting value: line 1 column "
                "2 (char 1) (this is how Python prints a value: write it with "
                "json.dumps)"
            )
        ],
    ),
    (
        "tags",
        "[{\u201cleft\u201d: 1}]",
        [
            (
                "is not a JSON list: not JSON: Expecting property name "
                "enclosed in double quotes: line 1 column 3 (char 2) (it has "
                'typographic quotes, as word processors make them: write plain ones, ")'
            )
        ],
    ),
    (
        "tags",
        '["' + "x" * 32765,
        [
            (
                "is not a JSON list: not JSON: Unterminated string starting at: line "
                "1 column 2 (char 1) (it has 32,767 characters, the most that a "
                "spreadsheet keeps of a cell: what followed was cut off: take it from where it came, "
                "not from the spreadsheet)"
            )
        ],
    ),
    ("tags", [], ['is empty (a JSON list of {"left","top","width","height"} in pixels)']),
    ("annotation_option", '["\\ud83d"]', [r"holds half a character, the lone surrogate \ud83d (remove it)"]),
    (
        "tags",
        '[{"id":"\\u0000","left":1,"top":2,"width":3,"height":4}]',
        [("holds a NUL character (remove it)")],
    ),
    ("tags", "[]", ['is empty (a JSON list of {"left","top","width","height"} in pixels)']),
    ("tags", '{"left":1}', ["must be a list, not an object"]),
    ("tags", '[{"id":1,"id":2}]', ["is not a JSON list: the key 'id' stands twice"]),
    ("tags", [None], ["tag 0 must be an object, not null"]),
    ("tags", [BOX | {"id": " "}], ["tag 0: id must be text that is not blank, not ' '"]),
    ("tags", [BOX | {"id": "1"}, BOX], ["two tags have the id '1'"]),
    ("tags", [BOX | {"id": 5}, BOX | {"id": "5"}], ["two tags have the id '5'"]),
    (
        "tags",
        [{"left": True, "top": "2", "width": 3, "height": 4}],
        [("tag 0: left must be a number, not true"), "tag 0: top must be a number, not '2'"],
    ),
    ("tags", [{"left": -5.5, "top": 2, "width": 3}], ["tag 0: height is missing"]),
    (
        "tags",
        [BOX | {"left": 1e10, "width": 0, "height": -1}],
        [
            ("tag 0: left is out of range: 10000000000.0"),
            "tag 0: width must be greater than 0, not 0",
            "tag 0: height must be greater than 0, not -1",
        ],
    ),
    (
        "tags",
        [BOX | {"left": -1e10, "top": -MAX_PIXELS - 1}],
        [("tag 0: left is out of range: -10000000000.0"), "tag 0: top is out of range: -1000000001"],
    ),
    ("tags", [{"left": -MAX_PIXELS, "top": MAX_PIXELS, "width": MAX_PIXELS, "height": 1}], []),
]


@pytest.mark.parametrize(("name", "cell", "problems"), FIELDS, ids=range(len(FIELDS)))
def test_fields(name: str, cell: Any, problems: list[str]) -> None:
    """Every mistake in a field of an annotating row is named, and what would be right."""
    assert says(ASKED | {name: cell}) == ([f"{name}: {problem}" for problem in problems] or [""])


def test_long_values_are_cut() -> None:
    """A message shows the two ends of a long value."""
    (told,) = says({"image_url": "x" * 500 + "end"})
    assert len(told) < 120
    assert told.endswith("xend'")
