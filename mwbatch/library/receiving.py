"""The receiver of a home's callbacks, in an application of the user's."""

from typing import TYPE_CHECKING

from mwbatch.callbacks.common.limits import LIMITS, Limits
from mwbatch.callbacks.receiver import OnStored, application
from mwbatch.library.home import Home

if TYPE_CHECKING:
    from aiohttp import web


def receiver(home: Home, *, limits: Limits = LIMITS, on_stored: OnStored | None = None) -> "web.Application":
    """The receiver of a home, to be served alone or as a sub-application.

    Its start-up raises `UsageError` (no usable keys) or `StoreError` (a batch that cannot be read).
    """
    return application(home._means.store, limits=limits, on_stored=on_stored)  # noqa: SLF001 (our own)
