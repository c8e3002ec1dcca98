"""The receiver as an aiohttp application, to be mounted in one of the user's own.

::

    own.add_subapp("/hooks", mwbatch.receiver(home))

It starts, ends and starts again with that. What the server of that application bounds, or does not, is said
once, when the first request comes.
"""

import logging
import time
from collections.abc import AsyncIterator, Callable
from typing import Final

from aiohttp import web

from mwbatch.callbacks.common.hiding import HideAddresses
from mwbatch.callbacks.common.limits import LIMITS, Limits
from mwbatch.callbacks.common.subscriber import OnStored
from mwbatch.callbacks.intake.request import no_continue
from mwbatch.callbacks.receiver import Receiver
from mwbatch.core.words.hint import hint
from mwbatch.journal.interface.store import Store

RECEIVER: Final = web.AppKey("mwbatch_receiver", Receiver)
"""Where `application` keeps its receiver: ``app[RECEIVER].ready``."""

_log: Final = logging.getLogger("mwbatch.callbacks")


def application(
    store: Store,
    *,
    limits: Limits = LIMITS,
    on_stored: OnStored | None = None,
    clock: Callable[[], float] = time.time,
) -> web.Application:
    """The receiver of a home, to be served alone or below any prefix of another application.

    Its start-up raises `UsageError` (no usable keys) or `StoreError` (a home that cannot be read).
    """
    receiver = Receiver(store, limits=limits, on_stored=on_stored, clock=clock)

    async def lifetime(_: web.Application) -> AsyncIterator[None]:
        """It MUST outlive the last request, so closing is no business of on_shutdown."""
        async with receiver:
            yield

    told = False

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal told
        if not told:
            told = True
            _log.warning(unbounded(shown=_shows_addresses(request)))
        return await receiver.answer(request)

    app = web.Application(client_max_size=limits.body)
    app[RECEIVER] = receiver
    app.router.add_route("*", "/{path:.*}", answer, expect_handler=no_continue)
    app.cleanup_ctx.append(lifetime)
    return app


def unbounded(*, shown: bool) -> str:
    """What the server of an application has to see to; ``shown``: its access log shows addresses."""
    log = "; its access log shows callback addresses, which are secrets" if shown else ""
    return (
        "mounted: how many connections there are, how long they idle, and how large a head may be, that "
        f"server bounds and not the receiver{log}; what to set says: {hint('help', 'mounting')}"
    )


def _shows_addresses(request: web.Request) -> bool:
    """Whether the server has an access log, and nothing in it that hides them, as far as a look can tell."""
    log: logging.Logger | None = request.protocol.access_log
    access = request.protocol.access_logger
    if access is None or not access.enabled:
        return False
    while log is not None:
        if any(isinstance(one, HideAddresses) for at in (log, *log.handlers) for one in at.filters):
            return False
        log = log.parent if log.propagate else None
    return True
