"""What aiohttp's exceptions prove about a request, in one place."""

import os
import ssl
from typing import Final

import aiohttp

from mwbatch.client.transport.pool import Spoiled
from mwbatch.core.api.address import masked
from mwbatch.errors import Unsent, Unsure

NEVER_LEFT: Final = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
    Spoiled,
)
"""The connection was never made, or not written on. Nothing else proves that:
resets and time-outs are OSErrors too, and the parent of
`aiohttp.ClientConnectorError` is raised for connections that broke later."""

_ASKED: Final = {407: ", it wants a user and a password: HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT"}


def translate(error: BaseException, *, left: bool = True) -> Unsent | Unsure:
    """Turn a failed exchange into what it proves; an exception that carries a status proves nothing.

    ``left`` is False where the request had certainly not been written yet. The words of errors that came
    after sending are left out: they may quote what was on the wire.
    """
    # A redirect is an answer, so the request had arrived.
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return Unsent(
            f"no connection to the API: the proxy answered {error.status}{_ASKED.get(error.status, '')}"
        )
    if isinstance(error, NEVER_LEFT) and not isinstance(error, aiohttp.RedirectClientError):
        return Unsent(masked(f"no connection to the API{_why(error)}"))
    if not left:
        return Unsent(f"no connection to the API ({type(error).__name__})")
    return Unsure(f"the request may have arrived, and no whole answer came ({type(error).__name__})")


def _why(error: BaseException) -> str:
    """Where the connection should have gone, and what the system says of it;
    aiohttp's own words are for programmers.
    """
    if not isinstance(error, aiohttp.ClientConnectorError):
        return f": {error}"
    cause, number = error.os_error, error.os_error.errno or 0
    # A name that nobody knows has a negative number, and a certificate one of its own.
    system = number > 0 and not isinstance(cause, ssl.SSLError)
    reason = os.strerror(number) if system else str(cause.strerror or cause)
    return f" at {error.host}:{error.port}: {reason}"
