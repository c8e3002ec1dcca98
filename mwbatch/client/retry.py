"""The only door to tenacity: reads are tried again, under backoff. A create never comes through here."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import tenacity

from mwbatch.errors import ApiError, Busy, Unsent, Unsure

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[object]]
"""Waits so many seconds; where it gives something true the user asked to stop, and nothing is tried again."""
Waits = Callable[[ApiError | None, float], None]
"""Told why the next try of a read has to wait, and for how many seconds;
and None when the waiting has an end.
"""

LONGEST_ASKED: Final = 300.0
"""Seconds; where ``Retry-After`` asks for more, the error is raised and says so, instead of a silent wait."""


def passing(error: BaseException) -> bool:
    """Whether a read that failed so may succeed later."""
    if not isinstance(error, ApiError) or (error.retry_after or 0) > LONGEST_ASKED:
        return False
    return isinstance(error, Unsure | Unsent | Busy) or (error.status or 0) >= 500


def untaken(error: BaseException) -> bool:
    """Whether a request that failed so certainly had no effect, so that even a POST may be sent again."""
    return isinstance(error, Unsent | Busy) and passing(error)


async def again(
    call: Callable[[], Awaitable[T]],
    *,
    tries: int = 5,
    wait_max: float = 30.0,
    on: Callable[[BaseException], bool] = passing,
    sleep: Sleep = asyncio.sleep,
    waits: Waits = lambda *_: None,
) -> T:
    """Await ``call()``, at most ``tries`` times in all, while it fails in a way that ``on`` accepts.

    The waits grow from 1 s to ``wait_max`` s, with up to 1 s of jitter; a ``Retry-After`` is obeyed where it
    is longer. The last error is raised as it came, as soon as ``sleep`` says that the user asked to stop.
    ``waits`` hears of each wait. The first try goes around tenacity, which costs 45 to 75 µs a call.
    """
    try:
        return await call()
    except ApiError as error:
        if tries <= 1 or not on(error):
            raise
        failed: list[ApiError] = [error]
        last = error

    async def next_try() -> T:
        nonlocal last
        if failed:
            raise failed.pop()
        try:
            return await call()
        except ApiError as error:
            last = error
            raise

    async def rest(seconds: float) -> None:
        if await sleep(seconds):
            raise last

    try:
        return await _policy(tries, wait_max, on, rest, waits)(next_try)
    finally:
        waits(None, 0.0)


def _policy(
    tries: int,
    wait_max: float,
    on: Callable[[BaseException], bool],
    sleep: Callable[[float], Awaitable[None]],
    waits: Waits,
) -> tenacity.AsyncRetrying:
    def told(state: tenacity.RetryCallState) -> None:
        waits(_error(state), state.upcoming_sleep)

    return tenacity.AsyncRetrying(
        stop=tenacity.stop_after_attempt(tries),
        wait=_Wait(wait_max),
        retry=tenacity.retry_if_exception(on),
        sleep=sleep,
        before_sleep=told,
        reraise=True,
    )


def _error(state: tenacity.RetryCallState) -> ApiError | None:
    error = state.outcome.exception() if state.outcome else None
    return error if isinstance(error, ApiError) else None


class _Wait(tenacity.wait.wait_base):
    """Exponential with jitter, and never less than what the API asked for."""

    def __init__(self, longest: float) -> None:
        self._grow = tenacity.wait_exponential_jitter(max=longest)
        self._longest = longest

    def __call__(self, state: tenacity.RetryCallState) -> float:
        error = _error(state)
        asked = error.retry_after if error else None
        return max(asked or 0.0, min(self._grow(state), self._longest))
