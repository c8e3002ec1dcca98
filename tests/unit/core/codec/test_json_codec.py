"""The one JSON door: what comes in, what goes out, and what is refused."""

import json
import math
import re
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mwbatch.core.codec.json_codec import (
    MAX_NESTING,
    BadJson,
    Json,
    Raw,
    canonical,
    decode,
    decode_object,
    encode,
    indented,
    is_plain,
)
from tests.support.facts import bodies, texts, values


def tagged(value: Json) -> object:
    """The value with each number's kind and spelling, because 1, 1.0 and true are one value to Python."""
    match value:
        case dict():
            return {key: tagged(item) for key, item in value.items()}
        case list():
            return [tagged(item) for item in value]
        case _:
            return type(value), repr(value)


@given(values)
def test_what_was_written_is_read(value: Json) -> None:
    """Every JSON value survives encode and decode, lone surrogates included."""
    assert tagged(decode(encode(value))) == tagged(value)


@given(values, st.sampled_from([None, 2]), st.booleans())
def test_the_standard_library_is_understood(value: Json, indent: int | None, ascii_only: bool) -> None:
    """What json writes, spaced or not, escaped or not, is read as json reads it."""
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    if text.encode("utf-8", "replace").decode() == text:
        assert tagged(decode(text.encode())) == tagged(json.loads(text))


@given(values, st.randoms(use_true_random=False), values)
def test_canonical_is_equal_if_the_values_are(value: Json, random: Random, other: Json) -> None:
    """Two values have one canonical text if and only if they say the same; the order of keys says nothing."""
    assert canonical(shuffled(value, random)) == canonical(value)
    assert (canonical(value) == canonical(other)) is (tagged(value) == tagged(other))


def shuffled(value: Json, random: Random) -> Json:
    """The same value with its keys in another order."""
    match value:
        case dict():
            return {key: shuffled(value[key], random) for key in random.sample(list(value), len(value))}
        case list():
            return [shuffled(item, random) for item in value]
        case _:
            return value


@given(bodies, texts)
def test_raw_text_stands_as_it_is(body: bytes, text: str) -> None:
    """A Raw is written byte for byte, in an object with lone surrogates too."""
    assert encode({text: [Raw(body), "\ud83d"]}).endswith(b':[%b,"\\ud83d"]}' % body)
    assert encode([Raw(body)]) == b"[%b]" % body


@given(st.binary(max_size=40) | st.text('[]{}",:0123e+-.\\ud83d NaInfity', max_size=20).map(str.encode))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    """Whatever comes in, decode returns or raises BadJson; and json agrees with what was read."""
    try:
        value = decode(raw)
    except BadJson:
        return
    said = json.loads(raw.decode())
    assert said == value or (isinstance(value, float) and math.isclose(said, value))


@pytest.mark.parametrize("raw", [b'"\\ud83d"', b'{"\\udc00": ["\\ud83dx"]}', b'"\\ude00\\ud83d"'])
def test_lone_surrogates_are_taken_and_written_back(raw: bytes) -> None:
    """Valid JSON that orjson refuses is read, and written again as it was."""
    assert encode(decode(raw)).replace(b" ", b"") == raw.replace(b" ", b"")


@given(values)
@example({"\ud83d": 1})
@example(["\ud83d"])
def test_what_is_plain_has_no_lone_surrogate(value: Json) -> None:
    """Whatever is plain can be said in UTF-8; half of a character is not, be it a name or deep inside."""
    text = json.dumps(value, ensure_ascii=False)
    if is_plain(value):
        text.encode()
    elif not re.search(r"\d{19}", text):  # a number beyond 64 bits
        with pytest.raises(UnicodeEncodeError):
            text.encode()


def test_surrogates_that_pair_are_one_character() -> None:
    """An escaped pair is the character that it names, on both ways through the door."""
    assert decode(b'["\\ud83d\\ude00","\\ud83d"]') == ["\U0001f600", "\ud83d"]


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"1 2", "not JSON"),
        (b"'a'", "not JSON"),
        (b'{"a":1,}', "not JSON"),
        (b"NaN", "NaN"),
        (b"[Infinity]", "Infinity"),
        (b"-Infinity", "Infinity"),
        (b'{"\\ud83d": NaN}', "NaN"),
        (b"1e999", "double"),
        (b"[-1e400]", "double"),
        (b"9" * 5000, "not JSON"),
        (b'"\xff"', "UTF-8"),
        (b'"\xed\xa0\xbd"', "UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "UTF-8"),
        ('{"a": 1}'.encode("utf-16-le"), "not JSON"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b'"a\nb"', "not JSON"),
    ],
)
def test_refused(raw: bytes, why: str) -> None:
    """What is not strict JSON in UTF-8 is refused, and the message says why."""
    with pytest.raises(BadJson, match=why):
        decode(raw)


@pytest.mark.parametrize("surrogate", [b"0", b'"\\ud83d"'], ids=["by orjson", "by json"])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
def test_nesting(opening: bytes, closing: bytes, surrogate: bytes) -> None:
    """64 levels are taken, 65 are not, and 100,000 hurt nobody."""
    each = opening.count(b"[") + opening.count(b"{")
    deepest = MAX_NESTING // each
    assert decode(opening * deepest + surrogate + closing * deepest)
    for levels in (deepest, 100_000):
        with pytest.raises(BadJson, match="nested deeper than 64"):
            decode(b"[" + opening * levels + surrogate + closing * levels + b"]")


def test_brackets_in_strings_and_side_by_side_nest_nothing() -> None:
    """Only containers inside containers are nested."""
    assert decode(b'"%b"' % (b"[" * 1000)) == "[" * 1000
    assert decode(b"[%b0]" % (b"[[]]," * 1000)) == [[[]]] * 1000 + [0]


BRACKETS = st.lists(st.text('[]{}"\\a', max_size=3), max_size=3)


@given(st.integers(30, 140), BRACKETS, BRACKETS)
@example(140, ["]"], ["["])
@example(140, ['"]"'], ['"["'])
def test_no_string_hides_how_deep_it_is(levels: int, before: list[str], after: list[str]) -> None:
    """Brackets and quotes in strings neither make a value deeper nor hide that it is too deep."""
    value: Json = 0
    for _ in range(levels):
        value = [*before, value, *after]
    if levels > MAX_NESTING:
        with pytest.raises(BadJson, match="nested deeper than 64"):
            decode(encode(value))
    else:
        assert decode(encode(value)) == value


@given(values.filter(lambda value: not isinstance(value, dict)))
def test_only_an_object_is_an_object(value: Json) -> None:
    """decode_object refuses what is JSON but no object."""
    assert decode_object(encode({"a": value})).keys() == {"a"}
    with pytest.raises(BadJson, match="not a JSON object"):
        decode_object(encode(value))


@pytest.mark.parametrize("value", [{1: 2}, {None: 1}, {"a": {1, 2}}, {"a": object()}])
def test_what_json_cannot_say_is_not_written(value: Json) -> None:
    """Names that are no strings, and values without a JSON form, raise TypeError."""
    with pytest.raises(TypeError):
        encode(value)


def test_tuples_and_great_integers_are_written() -> None:
    """What orjson refuses for its size is written all the same."""
    assert encode({"a": (1, 2**70), "b": [True]}) == b'{"a":[1,%d],"b":[true]}' % 2**70
    assert canonical({"b": 1, "a": 2**70}) == b'{"a":%d,"b":1}' % 2**70


@given(values)
def test_indented_json_is_the_same(value: Json) -> None:
    """What is indented for people reads back as what it was, be there half a character in it."""
    assert tagged(json.loads(indented(value))) == tagged(json.loads(encode(value)))
