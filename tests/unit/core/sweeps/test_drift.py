"""How far dates lie from the server's clock: measured, rounded outwards, kept."""

from datetime import UTC, datetime, timedelta
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.codec.times import iso
from mwbatch.core.sweeps.drift import WIDE, Drift

NOON = "Tue, 24 Nov 2026 12:00:00 GMT"


def date(seconds: float) -> str:
    """The date of a task, so many seconds after noon."""
    return iso(datetime(2026, 11, 24, 12, tzinfo=UTC) + timedelta(seconds=seconds))


seconds = st.integers(-90_000, 90_000).map(lambda ms: ms / 1000)


@given(st.lists(seconds, min_size=1), st.lists(seconds))
def test_the_least_and_the_greatest_are_kept(first: list[float], then: list[float]) -> None:
    """What a run saw and kept, and what the next one sees, are one measure: in whole seconds, outwards."""
    drift = Drift()
    drift.created((date(apart), NOON) for apart in first)
    drift = Drift(drift.kept)
    drift.created((date(apart), NOON) for apart in then)
    assert drift.kept == (floor(min(first + then)), ceil(max(first + then)))
    assert drift.back == timedelta(seconds=max(0, -floor(min(first + then))))
    assert drift.ahead == timedelta(seconds=max(0, ceil(max(first + then)) - 1))


@pytest.mark.parametrize(
    ("created_at", "clock"), [(None, NOON), ("", NOON), ("soon", NOON), (date(0), None), (date(0), "now")]
)
def test_what_says_nothing_is_no_measure(created_at: str | None, clock: str | None) -> None:
    """A date or a clock that is missing, or cannot be read, changes nothing."""
    drift = Drift()
    drift.created([(created_at, clock)])
    drift.listed(created_at, clock)
    assert (drift.kept, drift.back, drift.ahead, drift.is_wide) == ((), timedelta(), timedelta(), False)


def test_a_listing_tells_only_of_tasks_from_the_future() -> None:
    """A listed task may be old, so a date before the clock says nothing;
    one after it says how far dates are ahead.
    """
    drift = Drift()
    drift.listed(date(-5000), NOON)
    assert not drift.kept
    drift.listed(date(7200), NOON)
    drift.listed(date(60), NOON)
    assert drift.kept == (60, 7200)


def test_a_spread_wider_than_all_time_zones_is_no_clock() -> None:
    """However far dates lie from the clock, they can be used while they all lie as far;
    beyond 26 hours apart they cannot.
    """
    drift = Drift()
    drift.created([(date(-90 * 86_400), NOON)])
    assert not drift.is_wide
    drift.created([(date(-90 * 86_400 + WIDE.total_seconds()), NOON)])
    assert not drift.is_wide
    drift.created([(date(-90 * 86_400 + WIDE.total_seconds() + 1), NOON)])
    assert drift.is_wide


def test_a_date_beyond_all_calendars_says_nothing() -> None:
    """A date that means "never" leads nowhere: then dates are not used, where another calendar's can be."""
    for year, is_wide in (("2566", False), ("9999", True)):
        drift = Drift()
        drift.listed(f"{year}-12-31T23:59:59Z", NOON)
        assert drift.is_wide is is_wide
        assert (datetime(2026, 11, 24, 12, tzinfo=UTC) + drift.ahead).year >= 2026  # there is such a time


@pytest.mark.parametrize("zone", ["+0500", "+05:00", ".000+05:00", "", "Z"])
def test_a_date_is_told_by_its_letters_in_one_form_alone(zone: str) -> None:
    """A date that looks as if it lay between two that were seen is read
    all the same where it may be of another zone.
    """
    one, other = Drift(), Drift()
    for drift, dates in ((one, (0.1, 5.9)), (other, ())):
        drift.created((date(apart), NOON) for apart in dates)
        drift.created([(f"2026-11-24T12:00:01{zone}", NOON)])
    assert other.kept[0] in range(one.kept[0], one.kept[1] + 1)
    assert one.kept == (min(0, other.kept[0]), max(6, other.kept[1]))


def test_what_was_kept_is_beyond_all_calendars() -> None:
    """However far the dates lay that an earlier run has seen, those of today are measured."""
    drift = Drift((0, 10**12))
    drift.created([(date(-3), NOON)])
    drift.created([(date(-4), NOON)])
    assert drift.kept == (-4, 10**12)
