"""The seam to the network: one request out, one whole answer back."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from mwbatch.errors import Unsent, UsageError

KEPT: Final = "no byte of the request left"
"""What a cancelled ``send`` says in its error's arguments where that is so."""


def kept(error: BaseException) -> bool:
    """Whether what ended a ``send`` proves that no byte of its request left; silence proves nothing."""
    if isinstance(error, asyncio.CancelledError):
        return KEPT in error.args
    return isinstance(error, Unsent | UsageError)


class WireResponse(NamedTuple):
    """A received, well-formed answer; ``headers`` is case-insensitive, ``body`` is whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Wire(Protocol):
    """Whatever carries requests to the API.

    Laws: a request is sent at most once if it is a POST; redirects are not followed; an answer is returned
    only when it was received whole, whatever its status; nothing but `Unsent`, `Unsure` and, for a use that
    cannot be, `UsageError` is raised, and none carries the API key. `Unsent` and `UsageError` MUST be raised
    only where no byte of the request can have left. A cancelled ``send`` proves nothing, unless its error
    says `KEPT`; the same MUST holds for that. A wire that never says it leaves more rows in doubt, and is
    never wrong.
    """

    async def send(
        self,
        method: str,
        path: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
        fresh: bool = False,
    ) -> WireResponse:
        """Send one request below the base URL.

        ``path`` begins with ``/`` and is percent-encoded; ``params`` are not; ``body`` is an encoded form;
        ``fresh`` asks every cache on the way for an answer from the API itself.

        Raises:
            Unsent: no request left this machine.
            Unsure: the request may have arrived, and no whole answer came.
            UsageError: this wire was closed, or belongs to another event loop; nothing was written.
        """
        ...

    async def close(self) -> None:
        """Close every connection; it may be called twice. It is used no more."""
        ...
