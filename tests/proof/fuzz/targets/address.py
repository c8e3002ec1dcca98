"""The address parser: what a stranger may put into a path, and what the API may wrap around an address."""

import re
from hashlib import blake2b
from typing import Final
from urllib.parse import quote, unquote

from mwbatch.core.api.address import Address, Key, at_end, find, mac, masked, without_macs, write
from mwbatch.core.codec.ids import Attempt, Kid, RowNumber
from tests.proof.fuzz.shelf import unique
from tests.proof.fuzz.target import Target

KEY: Final = Key(Kid("k1"), b"0123456789abcdef")
_LOWER: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_HEX: Final = frozenset("0123456789abcdef")
_DIGITS: Final = frozenset("0123456789")
_LEFT: Final = re.compile(r"\*\*\*[0-9A-Fa-f]").search


def one(raw: bytes) -> None:
    """The laws of `find`, `masked` and `at_end`, for any text."""
    text = raw.decode("utf-8", "surrogateescape")
    found, hidden = find(text), masked(text)
    if found is not None:
        assert _path(found) in text
        assert found.signed_by(KEY) is _signed(found)
    assert find(hidden) is None, "a mac is left"
    assert find(without_macs(text)) is None, "a whole mac is left"
    assert masked(hidden) == hidden
    assert "*" in text or not _LEFT(hidden), "the end of a mac is left"
    assert at_end(text) == slowly(text)
    if not set(text) & set("%\\&"):
        encoded = quote(text, safe="", errors="surrogateescape")
        assert unquote(masked(encoded), errors="surrogateescape") == hidden, "percent-encoding shows a mac"
        assert masked(text.replace("/", "\\/")) == hidden.replace("/", "\\/"), "escaped slashes show a mac"


def slowly(path: str) -> Address | None:
    """The address that ends a path, read character by character as docs/reliability.md writes it."""
    segments = path.removesuffix("/").split("/")
    if len(segments) < 6 or segments[-5] != "v1":
        return None
    kid, batch, place, sign = segments[-4:]
    row, dash, attempt = place.partition("-")
    fits = (
        dash == "-"
        and _made_of(kid, _LOWER, 16)
        and _made_of(batch, _LOWER, 32)
        and _number(row, 9)
        and _number(attempt, 2)
        and attempt != "0"
        and len(sign) == 32
        and _made_of(sign, _HEX, 32)
    )
    return Address(Kid(kid), batch, RowNumber(int(row)), Attempt(int(attempt)), sign) if fits else None


def _made_of(text: str, letters: frozenset[str], longest: int) -> bool:
    return 0 < len(text) <= longest and letters.issuperset(text)


def _number(text: str, longest: int) -> bool:
    return _made_of(text, _DIGITS, longest) and (text == "0" or text[0] != "0")


def _path(found: Address) -> str:
    return f"/v1/{found.kid}/{found.batch}/{found.row}-{found.attempt}/{found.mac}"


def _signed(found: Address) -> bool:
    said = f"v1/{found.kid}/{found.batch}/{found.row}-{found.attempt}".encode()
    return found.kid == KEY.kid and found.mac == blake2b(said, key=KEY.secret, digest_size=16).hexdigest()


def _seeds() -> list[bytes]:
    whole = write("https://calls.test/a", KEY, "b234567890", RowNumber(12), Attempt(3))
    path = whole.removeprefix("https://calls.test")
    other = f"/callbacks/v1/k2/abcdefghij/999999999-99/{mac(KEY, 'x', RowNumber(0), Attempt(1))}"
    return [
        text.encode()
        for text in (
            *(
                whole,
                path,
                other,
                f"{path}{other}",
                f"{path}/",
                f"{path}//",
                f"{path}?a=b",
                f'{{"callback_url":"{whole}"}}',
            ),
            *(path[:-1], path + "0", path.upper(), path.replace("/", "%2F"), path.replace("/", "\\/")),
            "/v1/k/b/0-1/" + "0" * 32,
            "/v1/v1/v1/1-1/" + "f" * 32,
        )
    ]


_WORDS: Final = (
    *b"/v1/ /callbacks/v1/ %2F %2f %252F \\/ \\u002f &#47; /0-1/ 12-3/ v1 V1 k1 - //".split(),
    *(b"0" * 32, b"\xc3\xa9", b"\xd9\xa1", b"\xff", b"\0"),
)

TARGET: Final = Target("address", one, unique(_seeds()), _WORDS, longest=400)
