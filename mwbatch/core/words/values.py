"""What settings may be, and what they are where nobody sets them: once,
for the library and for the command line.
"""

from typing import Final

from mwbatch.errors import BadValue

BASE_URL: Final = "https://api.microwork.io"

CONCURRENCY: Final = 128
"""Requests in flight at most: enough for 1,000 a second where each takes 80 ms, and some more that wait."""

MOST_CONCURRENT: Final = 1024
"""The most that anybody may ask for: each is a connection."""

LEAST_RATE: Final = 0.001
GREATEST_RATE: Final = 1e6
"""Requests started a second."""

TIMEOUT: Final = 30.0
LONGEST_TIMEOUT: Final = 3600.0
"""Seconds for one request and its answer."""

SETTLE: Final = 150.0
"""Seconds after which a request that nobody has seen arrive is taken for lost."""

SETTLE_FLOOR: Final = 120.0
"""Seconds; below this only where the API is on a loopback address."""

SINCE: Final = "30d"
"""How far back the account is looked through."""

LONGEST_WALK: Final = 6 * 3600.0
"""Seconds after which a walk through a listing is given up:
a million tasks take an API that is slow an hour.
"""

LEAST_LOOK: Final = 0.1
"""Seconds between two looks at what is pending."""

POLL: Final = 30.0
"""Seconds between two looks, where nobody says how many."""

HOST: Final = "127.0.0.1"
PORT: Final = 8080
"""Where a receiver listens: for this machine alone, until somebody opens it."""

LONGEST: Final = 366 * 86_400.0
"""Seconds that anything may be waited for: longer waits are as good as none,
and clocks of event loops overflow.
"""

MOST_TASKS: Final = 10**9
GREATEST_COST: Final = 1e12
"""The greatest limits that anybody may name, and the greatest price."""


def whole(
    field: str, value: object, low: int, high: int, *, none: bool = False, option: str | None = None
) -> None:
    """Raise `BadValue` unless ``value`` is a whole number from ``low`` to ``high``,
    or None where it may be.
    """
    if (value is None and none) or (
        isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
    ):
        return
    raise BadValue(field, value, f"a whole number from {low} to {high} would do", option)


def amount(
    field: str, value: object, low: float, high: float, *, none: bool = False, option: str | None = None
) -> None:
    """Raise `BadValue` unless ``value`` is a finite number from ``low`` to ``high``,
    or None where it may be.
    """
    if (value is None and none) or (
        isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
    ):
        return
    raise BadValue(field, value, f"a number from {low:.12g} to {high:.12g} would do", option)
