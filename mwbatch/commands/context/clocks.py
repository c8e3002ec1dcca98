"""What time it is: by the API's clock where one is asked, else by this machine's, and it is said whose."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mwbatch.commands.context.context import Context
from mwbatch.core.codec.times import http_time
from mwbatch.core.urls.expiry import Clock

if TYPE_CHECKING:
    from mwbatch.client import Client

AskClock = Callable[[], Awaitable[Clock]]
"""Asks what time it is."""


async def api_now(client: "Client") -> datetime | None:
    """What the API's clock says, by a listing of one task; None where it does not say. Raises `ApiError`."""
    return http_time((await client.list_page(limit=1, fresh=True)).clock)


def clock_of(context: Context) -> Clock:
    """What the clock of this machine says."""
    return Clock(datetime.fromtimestamp(context.now(), UTC), "this machine's clock")


def of_this_machine(context: Context) -> AskClock:
    """Reads the clock of this machine."""

    async def ask() -> Clock:
        return clock_of(context)

    return ask


def of_the_api(client: "Client", context: Context) -> AskClock:
    """Asks the API, and reads the clock of this machine where it does not say;
    raises `ApiError` as the client does.
    """

    async def ask() -> Clock:
        now = await api_now(client)
        return Clock(now, "the API's clock") if now else clock_of(context)

    return ask
