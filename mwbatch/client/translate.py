"""What aiohttp's exceptions prove about a request, in one place."""

from typing import Final

import aiohttp

from mwbatch.client.connections import Spoiled
from mwbatch.core.address import masked
from mwbatch.errors import Unsent, Unsure

NEVER_LEFT: Final = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
    Spoiled,
)
"""The connection was never made, or not written on. Nothing else proves that: resets and time-outs are OSErrors too, and the parent of
`aiohttp.ClientConnectorError` is raised for connections that broke later."""

_ASKED: Final = {407: ", it wants a user and a password: HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT"}


def translate(error: BaseException, *, left: bool = True) -> Unsent | Unsure:
    """Turn a failed exchange into what it proves; an exception that carries a status proves nothing.

    ``left`` is False where the request had certainly not been written yet. The words of errors that came after sending are
    left out: they may quote what was on the wire.
    """
    # A redirect is an answer, so the request had arrived.
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return Unsent(
            f"no connection to the API: the proxy answered {error.status}{_ASKED.get(error.status, '')}"
        )
    if isinstance(error, NEVER_LEFT) and not isinstance(error, aiohttp.RedirectClientError):
        return Unsent(masked(f"no connection to the API: {error}"))
    if not left:
        return Unsent(f"no connection to the API ({type(error).__name__})")
    return Unsure(f"the request may have arrived, and no whole answer came ({type(error).__name__})")
