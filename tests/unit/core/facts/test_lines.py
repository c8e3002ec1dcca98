"""The laws of a fact's line: what was written is read, and nothing else ever is."""

import json
from dataclasses import replace
from inspect import signature
from zlib import crc32

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from mwbatch.core.codec.ids import Attempt, RowNumber, Strange
from mwbatch.core.codec.json_codec import Json, canonical, encode
from mwbatch.core.facts.digests import digest, identity
from mwbatch.core.facts.kinds import KINDS, NAMES, Fact, Failed, Planned, Seen, Started, Verdict, Via
from mwbatch.core.facts.lines import BadLine, UnknownFact, line, parse, sealed, unsealed
from tests.support.facts import answer, bodies, facts, fail, objects, plan, seen, show, start, texts, values

ONE_LINE = bytes.maketrans(b"\n\r\t", b"   ")


def kept(fact: Fact) -> Fact:
    """The fact as a line keeps it: its body on one line."""
    return fact._replace(body=fact.body.translate(ONE_LINE)) if isinstance(fact, Seen) and fact.body else fact


@pytest.mark.parametrize("via", Via)
@pytest.mark.parametrize("verdict", Verdict)
def test_a_word_is_read_as_the_member_that_it_names(via: Via, verdict: Verdict) -> None:
    """How a task was shown and what an outcome proves are read as members, which rules tell by `is`."""
    shown, failed = parse(line(show(1, via=via))[:-1]), parse(line(replace(fail(1), verdict=verdict))[:-1])
    assert isinstance(shown, Seen)
    assert isinstance(failed, Failed)
    assert shown.via is via
    assert failed.verdict is verdict


def test_a_word_that_nobody_knows_stays_as_it_stands() -> None:
    """A word of another version is kept, and is none of ours."""
    for fact in (replace(fail(1), verdict=Strange("lost")), show(1)._replace(via=Strange("hearsay"))):
        assert parse(line(fact)[:-1]) == fact
        assert line(parse(line(fact)[:-1])) == line(fact)


def proved(head: bytes) -> bytes:
    """A line, without newline, whose checksum is right."""
    return b'%b,"crc":"%08x"}' % (head, crc32(head))


@given(facts)
def test_what_was_written_is_read(fact: Fact) -> None:
    """A fact is one line of JSON, and the line is that fact."""
    text = line(fact)
    assert text.endswith(b"}\n")
    assert text.count(b"\n") == 1
    assert parse(text[:-1]) == kept(fact)
    assert json.loads(text)["fact"] == NAMES[type(fact)]
    assert line(parse(text[:-1])) == text


@given(facts, st.data())
def test_one_flipped_bit_is_no_fact(fact: Fact, draw: st.DataObject) -> None:
    """A line with any one bit flipped is refused."""
    text = bytearray(line(fact)[:-1])
    bit = draw.draw(st.integers(0, 8 * len(text) - 1))
    text[bit // 8] ^= 1 << bit % 8
    with pytest.raises(BadLine):
        parse(bytes(text))


def test_every_flipped_bit_and_every_cut_is_no_fact() -> None:
    """Of one answer's line, every single flipped bit and every shorter part is refused."""
    text = line(answer(1))[:-1]
    harmed = [text[:end] for end in range(len(text))] + [text[start:] for start in range(1, len(text))]
    harmed += [
        text[:at] + bytes([text[at] ^ 1 << bit]) + text[at + 1 :]
        for at in range(len(text))
        for bit in range(8)
    ]
    for other in harmed:
        with pytest.raises(BadLine):
            parse(other)


@given(facts, st.data())
def test_a_cut_line_is_no_fact(fact: Fact, draw: st.DataObject) -> None:
    """A line with any part missing at either end is refused."""
    text = line(fact)[:-1]
    start, end = sorted(draw.draw(st.lists(st.integers(0, len(text)), min_size=2, max_size=2)))
    assume((start, end) != (0, len(text)))
    with pytest.raises(BadLine):
        parse(text[start:end])


@given(st.binary(max_size=60))
@example(b'{"v":1,"fact":"seen","body":')
@example(b"\xff" * 30)
@example(b"[]")
@example(b'{"v":1,"fact":"seen","row":' + b"[" * 5000)
@example(b'{"v":1,"fact":"seen","row":1')
def test_any_bytes_raise_only_bad_line(raw: bytes) -> None:
    """Whatever stands in a file, with a right checksum or without, nothing but BadLine is raised."""
    for text in (raw, proved(raw)):
        with pytest.raises(BadLine):
            parse(text)


records = st.dictionaries(
    st.sampled_from(["v", "fact", *{name for kind in (Seen, Started) for name in signature(kind).parameters}])
    | texts,
    values | st.just(1) | st.sampled_from([*KINDS]),
)


@given(objects)
def test_any_record_is_kept_with_a_checksum(record: dict[str, Json]) -> None:
    """What is no fact may be kept in the same way, and is read as what it was, or not at all."""
    text = sealed(record)
    assert unsealed(text[:-1]) == record
    with pytest.raises(BadLine):
        unsealed(text[:-3] + text[-2:-1])


@given(records, st.sampled_from([*KINDS]))
def test_any_record_is_a_fact_or_refused(record: dict[str, Json], kind: str) -> None:
    """A record with a right checksum and any fields is a fact of its kind or BadLine."""
    for head in (record, {"v": 1, "fact": kind} | record):
        try:
            fact = parse(proved(encode(head)[:-1]))
        except BadLine:
            continue
        assert NAMES[type(fact)] == head["fact"]


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"v": None},
        {"v": "1"},
        {"v": True},
        {"v": 1.0},
        {"fact": "forgotten"},
        {"fact": ["failed"]},
        {"fact": None},
        {"more": 1},
        {"status": -1},
        {"body": {}},
        {"row": "0"},
        {"row": None},
        {"attempt": True},
        {"attempt": -1},
        {"attempt": 1.0},
        {"at": "now"},
        {"final": 0},
        {"status": "400"},
        {"message": None},
    ],
)
def test_what_is_not_known_is_refused(change: dict[str, Json]) -> None:
    """An unknown version, kind or field, or another type, makes an undamaged line one that is refused."""
    record = json.loads(line(fail(1))) | change
    del record["crc"]
    with pytest.raises(UnknownFact):
        parse(proved(encode(record)[:-1]))


def test_what_is_unknown_is_not_shown() -> None:
    """A field of a newer version is named without its value, which may be a secret there."""
    record = json.loads(line(fail(1))) | {"zeta": "0123456789abcdef", "alpha": "x"}
    del record["crc"]
    with pytest.raises(UnknownFact, match=r"other fields: zeta is unknown$"):
        parse(proved(encode(record)[:-1]))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"row": -1}, "row cannot be -1"),
        ({"row": "0"}, "row cannot be '0'"),
        ({"verdict": None}, "verdict cannot be None"),
        ({"row": "x" * 99}, "row cannot be '" + "x" * 39),
    ],
)
def test_what_is_wrong_is_said(change: dict[str, Json], said: str) -> None:
    """A field of ours that cannot be is named with the beginning of what it is."""
    record = unsealed(line(fail(1))[:-1]) | change
    with pytest.raises(UnknownFact, match=f"a fact 'failed' with other fields: {said}$"):
        parse(sealed(record)[:-1])


@pytest.mark.parametrize("name", ["at", "row", "attempt", "verdict", "final"])
def test_what_is_missing_is_said(name: str) -> None:
    """A field without a default is named where it is missing."""
    record = {key: value for key, value in unsealed(line(fail(1))[:-1]).items() if key != name}
    with pytest.raises(UnknownFact, match=f"{name} is missing$"):
        parse(sealed(record)[:-1])


@pytest.mark.parametrize("at", [-1, -1.5, 0, 7])
def test_a_clock_may_say_anything(at: float) -> None:
    """What a clock said may be before the epoch, and a whole number."""
    record = unsealed(line(fail(1))[:-1]) | {"at": at}
    assert parse(sealed(record)[:-1]) == replace(fail(1), at=at)


def test_a_row_without_columns() -> None:
    """A planned row may lack its columns: it has none then."""
    record = json.loads(line(plan(1)))
    del record["crc"], record["columns"]
    assert parse(proved(encode(record)[:-1])) == plan(1)


@pytest.mark.parametrize(
    "rows", [None, 7, [1], [[1]], [[1, 2, 3]], "ab", ["ab"], [[0, 1.0]], [[True, 2]], [[-1, 2]]]
)
def test_rows_that_are_no_ranges_are_refused(rows: Json) -> None:
    """A started whose rows are not pairs of row numbers is refused."""
    record = json.loads(line(start(1))) | {"rows": rows}
    del record["crc"]
    with pytest.raises(UnknownFact):
        parse(proved(encode(record)[:-1]))


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"a":2}',
        b'{"a":"\\ud83d","b":"\\udc00"}',
        '{"a":"\u2028\u2029\u0085 \U0001f600"}'.encode(),
        b'{\r\n\t"a" :\n[1,\n2]\n}',
        b'{"crc":"00000000","body":{"fact":"seen"},"v":1}',
        b'{"a":1.0e+00,"b":123456789012345678901234567890}',
        b"null",
    ],
)
def test_a_body_is_kept_as_it_came(body: bytes) -> None:
    """A body keeps every byte, but for newlines and tabs between its tokens."""
    for task in ("t", "\ud83d"):
        fact = answer(1, task=task)._replace(body=body)
        assert parse(line(fact)[:-1]) == fact._replace(body=body.translate(ONE_LINE))
        assert json.loads(line(fact))["body"] == json.loads(body)


@pytest.mark.parametrize("space", ["\t", "\n", "\r"])
def test_no_raw_space_but_a_blank_stands_in_a_line(space: str) -> None:
    """A line is one line, and one field where tabs part fields: in a body, too, whichever of these it has."""
    fact = answer(1)._replace(body=f'{{"a":{space}1}}'.encode())
    assert b'"body":{"a": 1}' in line(fact)


def test_a_column_that_is_called_body_is_a_column() -> None:
    """Only what was seen has a body behind its fields: a plan keeps what its columns are called."""
    every: list[Json] = [1, "x", {"body": {"crc": 1}}, [{"a": 0, "body": None}]]
    for said in every:
        fact = plan(0)._replace(columns={"a": 1, "body": said})
        assert parse(line(fact)[:-1]) == fact


def test_what_an_older_line_leaves_out_is_nothing() -> None:
    """A plan that names no edition is the first one, and a start without a number has none."""
    old = {"v": 1, "fact": "planned", "at": 0.0, "row": 0, "id": "a", "line": 2, "type": "tagging"}
    planned = parse(sealed({**old, "request": {"image_url": "https://images.test/0.jpg"}})[:-1])
    began = {"fact": "started", "rows": [[0, 1]], "attempt": 1, "kid": "k1"}
    there = {"base": "https://b.test", "origin": "https://a.test", "key": "00000000", "at": 0.0}
    started = parse(sealed({"v": 1, **began, **there})[:-1])
    assert isinstance(planned, Planned)
    assert isinstance(started, Started)
    assert (planned.edition, started.number, started.editions) == (0, 0, ())


@given(seen, bodies)
def test_no_text_is_taken_for_the_body(fact: Seen, body: bytes) -> None:
    """Words that look like the start of a body stay where they stand."""
    fact = fact._replace(task_id=',"body":{},"crc":"', status=',"body":', body=body)
    assert parse(line(fact)[:-1]) == kept(fact)


def test_a_field_at_its_default_is_left_out() -> None:
    """A line says only what differs from the defaults, and false is said."""
    assert (
        line(fail(1))
        == proved(b'{"v":1,"fact":"failed","at":0.0,"row":0,"attempt":1,"verdict":"absent","final":false')
        + b"\n"
    )


@given(facts)
def test_every_field_is_written_in_its_place(fact: Fact) -> None:
    """A line has version and kind, then every field that is not at its default, in the fact's own order."""
    there = {name: getattr(fact, name) for name in signature(type(fact)).parameters}
    usual = {name: field.default for name, field in signature(type(fact)).parameters.items()}
    said = {"v": 1, "fact": NAMES[type(fact)]} | {n: there[n] for n in there if there[n] != usual[n]}
    assert [*json.loads(line(fact))] == [*said, "crc"]


def test_the_format_stays() -> None:
    """A line of version 1, byte for byte: files of today are read tomorrow."""
    text = (
        b'{"v":1,"fact":"seen","at":1700000000.5,"row":7,"attempt":2,"task_id":"5774cc78b01249ab09f089dd",'
        b'"status":"completed","via":"callback","created_at":"2016-06-23T09:09:34.752Z",'
        b'"answer":"00","sha256":"ff",'
        b'"body":{ "task_id": "5774cc78b01249ab09f089dd" },"crc":"'
    )
    fact = Seen(
        1700000000.5, RowNumber(7), Attempt(2), "5774cc78b01249ab09f089dd", "completed", Via.CALLBACK,
        "2016-06-23T09:09:34.752Z",
        answer="00", sha256="ff", body=b'{ "task_id": "5774cc78b01249ab09f089dd" }',
    )  # fmt: skip
    assert line(fact).startswith(text)
    assert parse(line(fact)[:-1]) == fact


@given(values, values)
def test_a_digest_names_what_an_answer_says(one: Json, other: Json) -> None:
    """Two responses have one digest if and only if they say the same, and it is 32 hex digits."""
    assert len(digest(one)) == 32
    assert (digest(one) == digest(other)) is (canonical(one) == canonical(other))


def test_identity_is_of_an_answer() -> None:
    """An answer's identity is its row, attempt, task and what it says; times and bytes do not count."""
    fact = answer(1)
    assert identity(fact) == identity(fact._replace(at=9.0, completed_at="later", sha256="other", body=b"{}"))
    others = [answer(1, "no"), answer(1, task="t"), answer(2, task="task-1"), answer(1, row=1)]
    assert len({identity(other) for other in [fact, *others]}) == 5
    assert identity(answer(1, task="\ud83d"))


@pytest.mark.parametrize("fact", [show(1), fail(1), start(1)])
def test_other_facts_have_no_identity(fact: Fact) -> None:
    """Only answers are told apart; the repetition of any other fact costs nothing."""
    assert identity(fact) is None
