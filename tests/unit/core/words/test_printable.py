"""What a terminal may get, for any text and any JSON."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.codec.json_codec import encode
from mwbatch.core.words.printable import cell, encoded, encoded_json, printable

ANY = st.text(
    st.characters(exclude_categories=()) | st.sampled_from("\x1b\x7f\x9b\u202e\u2066\u2028\ud800\n\t\r")
)
"""Text of any characters, halves of one among them, with the dangerous ones often."""

OBEYED = [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"]


@given(ANY)
def test_nothing_is_obeyed(text: str) -> None:
    """Nothing that is left controls a terminal, turns the direction of writing, or is half of a character."""
    left = printable(text)
    assert not any(one in left for one in OBEYED)
    assert not any(
        unicodedata.bidirectional(one) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
        for one in left
    )
    left.encode()


@given(ANY)
def test_a_cell_is_one(text: str) -> None:
    """What stands in a cell is one line of one column, by whatever splits lines."""
    assert len(f"{cell(text)}x".splitlines()) == 1
    assert "\t" not in cell(text)


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs"))))
def test_words_stay(text: str) -> None:
    """Letters, numbers, signs and spaces of any script stay as they are."""
    assert printable(text) == cell(text) == text


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "cp1252"])
@given(value=st.recursive(ANY, lambda inner: st.lists(inner) | st.dictionaries(ANY, inner), max_leaves=8))
def test_json_stays_the_same(encoding: str, value: object) -> None:
    """JSON that passes is the same value in any encoding, and nothing in it is obeyed."""
    for sent in (encoded_json(encode(value), encoding), encoded(encode(value).decode(), encoding)):
        assert json.loads(sent.decode(encoding)) == json.loads(encode(value))
        assert not any(one in sent.decode(encoding) for one in (*OBEYED, "\u202e", "\u2028"))


def test_escapes() -> None:
    """They are those of JSON: four digits, and two of them beyond the first 65,536 characters."""
    assert printable("a\x1b[31m\u009b\ud83db\tc\n") == "a\\u001b[31m\\u009b\\ud83db\tc\n"
    assert encoded("größe 😀", "ascii") == b"gr\\u00f6\\u00dfe \\ud83d\\ude00"
    assert cell("a\tb\nc") == "a\\u0009b\\u000ac"
