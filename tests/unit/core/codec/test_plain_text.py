"""Text that people hand in: one rule for all of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.codec import plain_text
from mwbatch.core.codec.plain_text import BOM, NoText, instead, text_of


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])))
def test_text_is_what_it_is(text: str) -> None:
    """Text in UTF-8 is read as it stands, with a byte order mark before it or none;
    and passes for nothing else.
    """
    assert text_of(text.encode()) == text_of(BOM + text.encode()) == text.removeprefix("\ufeff")


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_codings_are_named(coding: str) -> None:
    """UTF-16 and UTF-32 are told, with a command that reads them as they are."""
    with pytest.raises(NoText) as told:
        text_of("shot-1\nshot-2\n".encode(coding))
    name = coding.upper().replace("-LE", "LE").replace("-BE", "BE")
    assert str(told.value) == f"{name[:6]}: save it as UTF-8, for example with iconv -f {name} -t UTF-8"


def test_bytes_that_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line of the first byte that is no UTF-8 is named; and a file without an end is not read to it."""
    with pytest.raises(NoText, match="not UTF-8: byte 0xe9 in line 2"):
        text_of(b"a\ncaf\xe9\n")
    monkeypatch.setattr(plain_text, "MOST", 4)
    with pytest.raises(NoText, match="longer than"):
        text_of(b"12345")


def test_nothing_but_nul_is_no_utf_16() -> None:
    """In UTF-16 every second byte of a line is no NUL: what a disk lost is told from it."""
    assert instead("a,b\n".encode("utf-16-le") * 20).startswith("UTF-16: ")
    assert "UTF-16" not in instead(bytes(64))


@pytest.mark.parametrize(
    "head", [b"", b"i", b"\0", b"a\0", b"ORCHID_ID,image_url", b"id\0x,image_url", b"\xff"]
)
def test_what_may_be_text(head: bytes) -> None:
    """A control character or two are a slip in a text, which is told at its place; so is a bad byte."""
    assert "UTF-16LE" in instead(head) if head == b"a\0" else not instead(head)
