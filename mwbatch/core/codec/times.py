"""Times on the wire: HTTP dates, ISO 8601 filters, and how long the API asks us to wait. No clock in here."""

import re
from datetime import UTC, datetime
from typing import Final

_SECONDS: Final = re.compile(r"[0-9]{1,9}")


def http_time(text: str | None) -> datetime | None:
    """Read an HTTP date (RFC 9110 section 5.6.7), such as a ``Date`` header; None where it is none."""
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - slow to import, seldom needed

    try:
        moment = parsedate_to_datetime(text or "")
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def moment(text: str | None) -> datetime | None:
    """Read a time as the API writes it, ISO 8601; without a zone it is UTC. None where it is none."""
    try:
        read = datetime.fromisoformat(text or "")
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def iso(time: datetime | str) -> str:
    """Write a time as the API's filters take it, ``2017-04-14T12:00:00.000Z``; text stands as it is.

    Raises:
        ValueError: the time has no zone.
    """
    if isinstance(time, str):
        return time
    if time.tzinfo is None:
        raise ValueError(f"{time.isoformat()} needs a time zone")
    return time.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def asked_wait(retry_after: str | None, date: str | None = None) -> float | None:
    """How long ``Retry-After`` asks us to wait, in seconds; None where it does not say.

    An HTTP date counts from the answer's own ``Date``, so that no clock of ours is needed.
    """
    if retry_after is None or _SECONDS.fullmatch(retry_after.strip()):
        return None if retry_after is None else float(retry_after)
    until, now = http_time(retry_after), http_time(date)
    return max(0.0, (until - now).total_seconds()) if until and now else None
