"""The receiver of a home's callbacks, in an aiohttp application of the user's or behind another framework."""

from typing import TYPE_CHECKING

from mwbatch.callbacks import receiver as room
from mwbatch.callbacks.common.limits import LIMITS, Limits
from mwbatch.callbacks.common.subscriber import OnStored
from mwbatch.callbacks.ops.mounting import application
from mwbatch.library.home import Home

if TYPE_CHECKING:
    from aiohttp import web


class Receiver(room.Receiver):
    """Takes callbacks that any framework has read: ``async with mwbatch.Receiver(home) as receiver:``.

    ``status, headers, body = await receiver.receive(path, headers, body)`` is the answer to send, once what
    it acknowledges is on disk. It belongs to the event loop in which it was opened. ``on_stored`` is told
    batch id and fact of each new callback once that is durable; what it returns is awaited, if that can be.

    Raises:
        UsageError: when it is opened: there are no usable keys.
        StoreError: then, too: the home cannot be read.
    """

    def __init__(self, home: Home, *, limits: Limits = LIMITS, on_stored: OnStored | None = None) -> None:
        super().__init__(home._runtime.store, limits=limits, on_stored=on_stored)  # noqa: SLF001 (our own)


def receiver(home: Home, *, limits: Limits = LIMITS, on_stored: OnStored | None = None) -> "web.Application":
    """The receiver of a home, to be served alone or below any prefix of another application.

    Its start-up raises `UsageError` (no usable keys) or `StoreError` (a home that cannot be read);
    ``app[mwbatch.RECEIVER]`` is its `Receiver`.
    """
    return application(home._runtime.store, limits=limits, on_stored=on_stored)  # noqa: SLF001 (our own)
