"""The fuzz targets in small: all that the fuzzer ever found, and mutations that hypothesis makes."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mwbatch.core.codec.json_codec import BadJson, Json, decode
from tests.proof.fuzz import shelf
from tests.proof.fuzz.oracle import has_odd_numbers, is_json
from tests.proof.fuzz.target import NAMES, Target, load
from tests.support.facts import values

TARGETS = [load(name) for name in NAMES]
targets = pytest.mark.parametrize("target", TARGETS, ids=NAMES)
FEW = settings(max_examples=100)

edits = st.tuples(st.integers(0, 2000), st.integers(0, 12), st.binary(max_size=3) | st.integers(0, 99))
"""Where, how many bytes are replaced, and by what: bytes, or the number of a word."""


@targets
def test_what_was_found(target: Target) -> None:
    """No seed, nothing in the corpus and nothing that ever broke a law breaks one."""
    for raw in target.beginning:
        target.one(raw)


@targets
@given(raw=st.binary(max_size=60))
@FEW
def test_any_bytes(target: Target, raw: bytes) -> None:
    """Any bytes obey the laws of every target."""
    target.one(raw)


@targets
@given(data=st.data())
@FEW
def test_mutations(target: Target, data: st.DataObject) -> None:
    """A valid input that was cut, glued and overwritten in some places obeys the laws."""
    raw = data.draw(st.sampled_from(target.seeds))
    for place, length, edit in data.draw(st.lists(edits, min_size=1, max_size=4)):
        new = edit if isinstance(edit, bytes) else target.words[edit % len(target.words)]
        at = place % (len(raw) + 1)
        raw = raw[:at] + new + raw[at + length :]
    target.one(raw[: target.longest])


@targets
def test_the_corpus_stays_small(target: Target) -> None:
    """What is kept of a target is bounded, and each input is one that the fuzzer could have made."""
    kept = shelf.kept(shelf.CORPUS, target.name)
    assert kept
    assert len(set(kept)) == len(kept)
    assert max(map(len, kept)) <= target.longest
    assert (shelf.CORPUS / f"{target.name}.jsonl").stat().st_size <= shelf.MOST


@given(values, st.sampled_from([None, 1]))
def test_the_oracle_knows_json(value: Json, indent: int | None) -> None:
    """What the standard library writes is JSON to the oracle,
    and with its last character missing it is none.
    """
    text = json.dumps(value, indent=indent).encode()
    assert is_json(text)
    assert not is_json(text[:-1]) or text[:1] in b"-0123456789"


NONE = (
    r"""[1,] [,1] {,} {"a"} {"a":} {"a":1,} {1:1} 01 1. .5 +1 'a' NaN tru [ ] [} {] "\x" "\u12" " [1], [1]1"""
)


@pytest.mark.parametrize(
    "text", [*NONE.split(), "", " ", '"\n"', "1 1", "[1 2]", "[" * 65 + "]" * 65, "\ufeff1"]
)
def test_the_oracle_knows_what_is_none(text: str) -> None:
    """What only resembles JSON is none to the oracle, nor to the one JSON door."""
    assert not is_json(text.encode())
    with pytest.raises(BadJson):
        decode(text.encode())


def test_odd_numbers() -> None:
    """A number that a double may not hold is known as such; all others are compared."""
    odd = [b"1e308", b"[12345678901234567890]", b"1E-400"]
    assert [has_odd_numbers(raw) for raw in (*odd, b"1e30", b"1234567890123456789", b"0.5")] == [True] * 3 + [
        False
    ] * 3
