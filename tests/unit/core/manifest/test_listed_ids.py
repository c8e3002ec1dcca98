"""Lists of ids, and what is handed in in their place."""

import io
import subprocess

import pytest

from mwbatch.core.codec.plain_text import BOM, NoText
from mwbatch.core.manifest import listed_ids
from mwbatch.core.manifest.listed_ids import LONGEST, listed


def ids(raw: bytes, name: str = "ids.txt") -> list[str]:
    """The ids in a file."""
    return list(listed(io.BytesIO(raw).readline, name))


def test_one_a_line() -> None:
    """Each line that is not blank is an id, whatever stands in it that is no end of a line."""
    raw = BOM + 'a\r\n\n  b b \nü\u2028x\n[x\n"\n{y}\nc,d'.encode()
    assert ids(raw) == ["a", "b b", "ü\u2028x", "[x", '"', "{y}", "c,d"]
    assert ids(b"") == ids(b"\n \r\n") == []


OTHERS = {
    b"a\rb\r": r"tr '\r' '\n' < ids.txt",
    b'{"id":"a"}\n{"id":"b"}\n': "jq -r '.id' ids.txt",
    b'{"custom_id":"a"}\n{"custom_id":"b"}\n': "jq -r '.custom_id' ids.txt",
    b'[{"id":"a"},{"id":"b"}]\n': "jq -r '.[].id' ids.txt",
    b'["a","b"]\n': "jq -r '.[]' ids.txt",
    b'[\n{"id":"a"},\n{"id":"b"}]\n': "jq -r '.[].id' ids.txt",
    b'{\n"id":"a"}\n': "jq -r '.id' ids.txt",
    b'{"row":1}\n': "jq -r '.id' ids.txt",
    b"id\na\nb\n": "tail -n +2 ids.txt",
    b'image_url,"ID",x\nhttps://a,a,1\nhttps://b,b,2\n': "tail -n +2 ids.txt | cut -d, -f2",
    b'"a"\n"b"\n': "tr -d '\"' < ids.txt",
}


@pytest.mark.parametrize("raw", OTHERS, ids=lambda raw: raw.decode())
def test_another_way_to_list_ids(raw: bytes) -> None:
    """A list of another form is refused with the command that makes one id a line of it,
    with its name or without.
    """
    with pytest.raises(NoText) as refused:
        ids(raw)
    assert f"give one id a line, as {OTHERS[raw]} writes them" in str(refused.value)
    with pytest.raises(NoText) as piped:
        ids(raw, "")
    assert "ids.txt" not in str(piped.value)


@pytest.mark.parametrize("raw", [raw for raw, way in OTHERS.items() if "jq" not in way], ids=repr)
def test_what_is_advised_works(raw: bytes) -> None:
    """The command that is advised makes a list of the same ids."""
    command = OTHERS[raw].replace(" < ids.txt", "").replace(" ids.txt", "")
    ran = subprocess.run(["sh", "-c", command], input=raw, capture_output=True, check=True)
    assert ids(ran.stdout) == ["a", "b"]


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        ("r1\n".encode("utf-16"), "UTF-16"),
        (b"a\ncaf\xe9\n", "not UTF-8: byte 0xe9 in line 2"),
        (b"a" * (LONGEST + 1), "line 1 is longer than 1 MiB"),
        (b"a\r" * LONGEST, "carriage returns"),
    ],
    ids=["utf-16", "latin-1", "endless", "cr"],
)
def test_no_list(raw: bytes, what: str) -> None:
    """What is no text, or ends no line, is named before it is read to its end."""
    with pytest.raises(NoText, match=what):
        ids(raw)


def test_a_list_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than so many bytes are taken."""
    monkeypatch.setattr(listed_ids, "MOST", 4)
    with pytest.raises(NoText, match="longer than"):
        ids(b"a\nb\nc\n")
