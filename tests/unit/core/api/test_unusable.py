"""Callbacks that did not fit: whole on disk, no fact, and never with a mac."""

from dataclasses import replace
from hashlib import sha256
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.api.address import Address
from mwbatch.core.api.unusable import Unusable, line, masked_body, parse
from mwbatch.core.codec.ids import Attempt, Kid, RowNumber
from mwbatch.core.facts import kinds as facts
from mwbatch.core.facts import lines
from mwbatch.core.facts.lines import BadLine, UnknownFact

MAC = "0123456789abcdef0123456789abcdef"
HERE = Address(Kid("k1"), "b234567890", RowNumber(7), Attempt(2), MAC)
OTHER = HERE._replace(row=RowNumber(8), mac="f" * 32)


def of(raw: bytes, most: int = 1000) -> Unusable:
    """What is kept of a body."""
    return Unusable.of(HERE, "not_json", raw, 5.0, most)


@given(st.binary(max_size=300), st.integers(0, 300))
def test_a_line_is_read_back(raw: bytes, most: int) -> None:
    """What was written is read back, and says of the whole body how large it was and what its digest is."""
    reject = of(raw, most)
    assert parse(line(reject)[:-1]) == reject
    assert (reject.size, reject.sha256) == (len(raw), sha256(raw).hexdigest())
    assert (reject.truncated, reject.body) == (len(raw) > most, raw[:most])
    assert line(reject).count(b"\n") == 1


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_damaged_line_is_none(at: int, change: int) -> None:
    """A line of which any byte was changed is no reject."""
    text = bytearray(line(of(b'{"a":1}'))[:-1])
    text[at % len(text)] ^= change
    with pytest.raises(BadLine):
        parse(bytes(text))


def test_neither_is_taken_for_the_other() -> None:
    """A reject among facts is refused, never skipped; a fact among rejects is none,
    nor is another version.
    """
    with pytest.raises(UnknownFact):
        lines.parse(line(of(b""))[:-1])
    with pytest.raises(BadLine):
        parse(lines.line(facts.Retried(1.0, RowNumber(1), Attempt(1)))[:-1])
    head = line(of(b""))[:-19].replace(b'"v":1', b'"v":2')
    with pytest.raises(BadLine, match="another version"):
        parse(b'%b,"crc":"%08x"}' % (head, crc32(head)))


def test_the_same_again() -> None:
    """The same bytes at the same address are the same reject, whenever and for whatever reason they came."""
    first = of(b"{")
    assert replace(first, at=9.0, reason="type").identity == first.identity
    assert len({of(b"{").identity, of(b"}").identity, replace(first, row=RowNumber(8)).identity}) == 3


@pytest.mark.parametrize(
    "said",
    [
        MAC.encode(),
        MAC.upper().encode(),
        MAC.encode("utf-16"),
        MAC.encode("utf-32-be"),
        f"https://a.example/callbacks{HERE.tail}".encode(),
        f"https://a.example/callbacks{OTHER.tail}?x=1".encode(),
        f"callbacks{OTHER.tail}".replace("/", "\\/").encode(),
        f"callbacks{OTHER.tail}".replace("/", "%2F").encode(),
        f"callbacks{OTHER.tail}".replace("/", "\\u002f").encode(),
        f"callbacks{OTHER.tail}"[:-9].encode(),
    ],
)
@pytest.mark.parametrize("most", [1000, 60])
def test_no_mac_is_kept(said: bytes, most: int) -> None:
    """A mac is hidden in any spelling, its own or another, whole or cut by the sender;
    all else stays in its place.
    """
    raw = b'{"url":"' + said + b'"'
    kept = of(raw, most).body
    assert not {MAC[:6], MAC[:6].upper(), "ffffff"} & {
        text[at : at + 6] for text in [kept.replace(b"\0", b"").decode("latin-1")] for at in range(len(text))
    }
    assert len(kept) == min(len(raw), most)
    assert kept.startswith(b'{"url":"')


@given(st.integers(0, 200))
def test_the_cut_leaves_no_part_of_a_mac(most: int) -> None:
    """Wherever the body is cut, no digit of a mac stands before the cut."""
    raw = b"x" * 60 + HERE.tail.encode() + b"y" * 60
    assert of(raw, most).body == masked_body(raw, MAC)[:most]
    assert MAC[:1].encode() not in of(raw, most).body[60 + len(HERE.tail) - 32 :]


def test_a_task_id_is_no_mac() -> None:
    """Other digests stay readable: they are what one looks for."""
    raw = b'{"task_id":"576ba74eec471ff9b01557cc","md5":"' + b"a" * 32 + b'"}'
    assert of(raw).body == raw
