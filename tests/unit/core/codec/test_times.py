"""Times on the wire."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.codec.times import asked_wait, http_time, iso, moment

NOW = "Tue, 24 Nov 2026 03:18:42 GMT"


@pytest.mark.parametrize(
    ("header", "date", "seconds"),
    [
        (None, NOW, None),
        ("7", None, 7.0),
        (" 120 ", None, 120.0),
        ("Tue, 24 Nov 2026 03:19:42 GMT", NOW, 60.0),
        ("Tue, 24 Nov 2026 03:00:00 GMT", NOW, 0.0),
        ("Tue, 24 Nov 2026 03:19:42 GMT", None, None),
        ("soon", NOW, None),
        ("-3", NOW, None),
        ("1e9999", NOW, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(
    header: str | None, date: str | None, seconds: float | None
) -> None:
    """Retry-After counts seconds, or runs to a date by the API's own clock; anything else says nothing."""
    assert asked_wait(header, date) == seconds


@given(st.text(max_size=40))
def test_no_header_can_hurt(text: str) -> None:
    """Whatever a Date header or a created_at holds, it is a time in UTC or None."""
    for read in (http_time(text), moment(text)):
        assert read is None or read.utcoffset() == timedelta(0)


def test_a_date_without_a_zone_is_gmt() -> None:
    """RFC 9110: dates are GMT, also where that is left out."""
    assert (
        http_time("Tue, 24 Nov 2026 03:18:42 -0000")
        == http_time(NOW)
        == datetime(2026, 11, 24, 3, 18, 42, tzinfo=UTC)
    )


def test_filters_are_iso_8601_with_z() -> None:
    """Any zone is written as UTC with milliseconds; text goes out as it stands."""
    east = timezone(timedelta(hours=2))
    assert iso(datetime(2017, 4, 14, 14, 0, tzinfo=east)) == "2017-04-14T12:00:00.000Z"
    assert iso("2017-04-14") == "2017-04-14"


def test_a_time_without_a_zone_is_no_time() -> None:
    """A naive time would mean another moment on another machine."""
    with pytest.raises(ValueError, match="time zone"):
        iso(datetime(2017, 4, 14))  # noqa: DTZ001


@pytest.mark.parametrize("text", [None, "", "soon", "0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00"])
def test_what_is_no_moment(text: str | None) -> None:
    """What is missing, no time, or beyond what a calendar holds is None."""
    assert moment(text) is None
    assert http_time(text) is None


@given(st.datetimes(datetime(1970, 1, 1), datetime(2199, 1, 1)), st.integers(-12, 12))  # noqa: DTZ001
def test_what_is_written_is_read(naive: datetime, hours: int) -> None:
    """A time goes through the wire to the millisecond, from any zone; without a zone it is UTC."""
    whole = naive.replace(microsecond=naive.microsecond // 1000 * 1000)
    time = whole.replace(tzinfo=timezone(timedelta(hours=hours)))
    assert moment(iso(time)) == time
    assert moment(whole.isoformat()) == whole.replace(tzinfo=UTC)
