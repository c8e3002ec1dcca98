"""What settings may be: the rules that the library and the command line share."""

from collections.abc import Callable
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.urls.hosts import host_of, is_loopback, is_near, settle_at
from mwbatch.core.words.values import SETTLE_FLOOR, amount, whole
from mwbatch.errors import BadValue

LOOPBACK = ("127.0.0.1", "127.8.8.8", "::1", "localhost", "LOCALHOST.", "api.localhost")
NEAR = ("10.0.0.7", "192.168.1.2", "fe80::1", "printer.local")
FAR = ("8.8.8.8", "2606:4700::1111", "api.microwork.io", "localhost.example.com", "127.0.0.1.example.com", "")


def taken(check: Callable[[], None]) -> bool:
    """Whether a value was not refused."""
    try:
        check()
    except BadValue:
        return False
    return True


@given(st.integers() | st.floats() | st.booleans() | st.text() | st.none())
def test_whole_numbers(value: object) -> None:
    """A whole number within its bounds is taken, and nothing else: no bool, no text, no fraction."""
    fits = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 9
    assert taken(lambda: whole("concurrency", value, 1, 9)) is fits


@given(st.integers() | st.floats() | st.booleans() | st.text() | st.none())
def test_amounts(value: object) -> None:
    """A finite number within its bounds is taken, and nothing else: not nan,
    whose comparisons are all false.
    """
    fits = isinstance(value, int | float) and not isinstance(value, bool) and 0.5 <= value <= 9
    assert taken(lambda: amount("rate", value, 0.5, 9)) is fits


@pytest.mark.parametrize("check", [whole, amount])
def test_nothing_is_a_value_where_it_may_be(check: type) -> None:
    """None is taken only where the setting may be left open."""
    check("rate", None, 1, 9, none=True)
    with pytest.raises(BadValue, match="rate is None"):
        check("rate", None, 1, 9)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(nan, "nan"), (inf, "inf"), (-1, "-1"), (10**5000, "a number of more than"), ("9", "'9'")],
    ids=["nan", "inf", "negative", "huge", "text"],
)
def test_a_refusal_says_what_would_do(value: object, shown: str) -> None:
    """The field, the value and what would do stand in the message; on the command line the option's name."""
    with pytest.raises(BadValue) as raised:
        amount("max_cost", value, 0, 100)
    assert str(raised.value).startswith(f"max_cost is {shown}")
    assert str(raised.value).endswith(": a number from 0 to 100 would do")
    assert raised.value.on_command_line().startswith(f"--max-cost is {shown}")


@pytest.mark.parametrize("host", LOOPBACK)
def test_loopback(host: str) -> None:
    """This machine is near, and on loopback."""
    assert is_loopback(host)
    assert is_near(host)


@pytest.mark.parametrize("host", [*NEAR, *FAR])
def test_what_is_not_loopback(host: str) -> None:
    """A private network is near and not loopback; all else is neither."""
    assert not is_loopback(host)
    assert is_near(host) is (host in NEAR)


def test_the_host_of_an_origin() -> None:
    """Port, path and brackets are no part of it."""
    assert [host_of(url) for url in ("http://127.0.0.1:8900/x", "https://[::1]:1", "https://a.example")] == [
        "127.0.0.1",
        "::1",
        "a.example",
    ]


@pytest.mark.parametrize("settle", [0.0, 1.0, SETTLE_FLOOR - 1e-6])
def test_settle_has_a_floor(settle: float) -> None:
    """Below the floor a row may be paid twice: refused, unless the API is on this machine."""
    settle_at(settle, "http://127.0.0.1:8900")
    settle_at(SETTLE_FLOOR, "https://api.microwork.io")
    with pytest.raises(BadValue, match=r"settle is .*too short.*at least 120"):
        settle_at(settle, "https://api.microwork.io")
