"""The laws of the callback address."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.api.address import (
    NOBODY,
    PREFIX,
    Address,
    Key,
    at_end,
    find,
    mac,
    masked,
    without_macs,
    write,
)
from mwbatch.core.codec.ids import Attempt, Kid, RowNumber

KEY = Key(Kid("k1"), b"0123456789abcdef")
BASES = [
    "https://calls.test",
    "http://10.0.0.7:8080",
    "https://calls.test/a/b",
    "https://calls.test:8443/v1/",
    NOBODY,
]
AROUND = [
    "",
    "https://proxy.test/forward?to={}&x=1",
    "callback_url: '{}'.",
    '{{"callback_url":"{}"}}\n',
    "<{}>",
    "{}/",
    "{}?a=b",
]

names = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=16)
keys = st.builds(Key, names, st.binary(min_size=16, max_size=64))
rows, attempts = st.integers(0, 10**9 - 1), st.integers(1, 99)
URL = write(BASES[0], KEY, "b7", RowNumber(12), Attempt(3))


@given(st.sampled_from(BASES), st.sampled_from(AROUND), keys, names, rows, attempts)
def test_what_was_written_is_found(
    base: str, around: str, key: Key, batch: str, row: int, attempt: int
) -> None:
    """An address below any base, alone or inside other text, is found, and its key proves it."""
    url = write(base, key, batch, RowNumber(row), Attempt(attempt))
    found = find(around.format(url) if around else url)
    assert found == Address(key.kid, batch, RowNumber(row), Attempt(attempt), url[-32:])
    assert found.signed_by(key)
    assert url.startswith(base.rstrip("/") + PREFIX)


@given(
    st.sampled_from(BASES),
    st.sampled_from(["", "/", "//", "/x", "%2F", "?a=b", "%00", ".json", "0"]),
    rows,
    attempts,
)
def test_only_the_end_of_a_path_counts(base: str, after: str, row: int, attempt: int) -> None:
    """An address that ends a path is read as it is found anywhere;
    one with more behind it than a slash is none.
    """
    url = write(base, KEY, "b7", RowNumber(row), Attempt(attempt))
    assert at_end(url) == find(url)
    assert (at_end(url + after) is None) is (after not in ("", "/"))


@given(keys, keys, names, rows, attempts)
def test_another_key_proves_nothing(key: Key, other: Key, batch: str, row: int, attempt: int) -> None:
    """Only the key that signed an address proves it: another name or other bytes do not."""
    found = find(write(BASES[0], key, batch, RowNumber(row), Attempt(attempt)))
    assert found
    assert found.signed_by(other) is (key == other)
    assert not found.signed_by(
        Key(key.kid, key.secret[::-1] + b"x" if len(key.secret) < 64 else key.secret[1:])
    )
    assert not found.signed_by(
        Key(Kid("z" + key.kid[1:] if key.kid[0] != "z" else "y" + key.kid[1:]), key.secret)
    )


def accepted(url: str) -> bool:
    """Whether an address is found in the text and is signed."""
    found = find(url)
    return found is not None and found.signed_by(KEY)


def test_any_other_character_is_refused() -> None:
    """Each character from the version on, replaced, removed or doubled,
    makes an address that nobody signed.
    """
    begin = URL.index("/v1/")
    assert accepted(URL)
    for at in range(begin, len(URL)):
        for other in [*(set(string.printable) - {URL[at]}), "", URL[at] * 2, "\u0661"]:
            changed = URL[:at] + other + URL[at + 1 :]
            assert not accepted(changed) or (other == URL[at] * 2 == "//" and at == begin), changed


@pytest.mark.parametrize("glued", ["0", "f", "g", "Z", "_", "-"])
def test_a_longer_mac_is_refused(glued: str) -> None:
    """A mac with a character more is not ours."""
    assert find(URL + glued) is None


@pytest.mark.parametrize(
    "name",
    ["0-0", "-1", "1-", "00-1", "01-1", "1-01", "1-100", "1000000000-1", "+1-1", " 1-1", "1-1-1", "\u0661-1"],
)
def test_only_one_spelling_of_row_and_attempt(name: str) -> None:
    """Row and attempt have one spelling each, within their limits."""
    assert find(f"/callbacks/v1/k1/b7/{name}/{'0' * 32}") is None


@given(st.text(max_size=30), st.text(max_size=30), rows, attempts)
def test_a_mac_is_hidden_and_nothing_else_changed(before: str, after: str, row: int, attempt: int) -> None:
    """Every mac becomes three stars; all other text stands."""
    url = write(BASES[0], KEY, "b7", RowNumber(row), Attempt(attempt))
    end = after.lstrip(string.hexdigits)
    assert masked(f"{before}{url}{end}{url}") == f"{before}{url[:-32]}***{end}{url[:-32]}***"
    assert masked(before) == before


@pytest.mark.parametrize(
    "text",
    [
        URL + "-x",
        URL + "_",
        URL[:-12],
        URL.replace("/", "%2F"),
        URL.replace("/", "%252f"),
        URL.replace("/", "\\/"),
        URL.replace("/", "\\\\/"),
        URL.replace("/", "\\"),
        URL.replace("/", "\\u002F"),
        URL.replace("/", "&#x2F;"),
        URL.replace("/", "//"),
        f"{URL}\\n",
        repr(URL),
        URL.replace("-3/", "-300/"),
    ],
)
def test_a_mac_that_is_cut_or_glued_is_hidden_too(text: str) -> None:
    """What is left of a mac in a message is hidden, be it cut, quoted or escaped in whatever way,
    in either case.
    """
    assert URL[-32:-12] not in masked(text)
    assert URL[-32:-12] not in masked(text.upper()).lower()


def test_an_export_loses_macs_alone() -> None:
    """Of what an export shows, whole addresses lose their mac; whatever only resembles one stands."""
    near = ["https://x.test/v1/a/b/1-2/abc.jpg", URL[:-1], f"{URL}0", f"{URL}g", "/v1/a/b/1/" + "0" * 32]
    for text in near:
        assert without_macs(text) == text
    assert without_macs(f"{near} {URL}, {URL}/") == f"{near} {URL[:-32]}***, {URL[:-32]}***/"


@pytest.mark.parametrize("size", [0, 1, 15, 65, 100])
def test_a_key_of_another_length_is_refused(size: int) -> None:
    """A secret has 16 to 64 bytes."""
    with pytest.raises(ValueError, match=f"{size} bytes"):
        Key(Kid("k1"), b"x" * size)


@pytest.mark.parametrize("kid", ["", "K1", "a_b", "a-b", "a/b", "x" * 17, "k1\n", "\u00e9"])
def test_a_name_that_fits_no_address_is_refused(kid: str) -> None:
    """A kid that no address could carry would sign addresses that nobody finds."""
    with pytest.raises(ValueError, match="no fitting name"):
        Key(Kid(kid), b"x" * 16)


def test_a_key_does_not_show_its_secret() -> None:
    """The secret stands in no representation of a key."""
    assert repr(KEY) == "Key(k1)"


def test_the_mac_stays() -> None:
    """A mac of version 1, digit for digit: addresses of today are proved tomorrow."""
    assert mac(KEY, "b7", RowNumber(12), Attempt(3)) == "0b13a55b4d6027c8d26b004aa4165ad2"
