"""The seam to the network: one request out, one whole answer back."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol


class Answer(NamedTuple):
    """A received, well-formed answer; ``headers`` is case-insensitive, ``body`` is whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Wire(Protocol):
    """Whatever carries requests to the API.

    Laws: a request is sent at most once if it is a POST; redirects are not followed; an answer is returned only when
    it was received whole, whatever its status; nothing but `Unsent` and `Unsure` is raised, and neither carries the
    API key. `Unsent` MUST be raised only where no byte of the request can have left. A cancelled ``send`` proves
    nothing: the request may have left.
    """

    async def send(
        self,
        method: str,
        path: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
        fresh: bool = False,
    ) -> Answer:
        """Send one request below the base URL.

        ``path`` begins with ``/`` and is percent-encoded; ``params`` are not; ``body`` is an encoded form;
        ``fresh`` asks every cache on the way for an answer from the API itself.

        Raises:
            Unsent: no request left this machine.
            Unsure: the request may have arrived, and no whole answer came.
        """
        ...

    async def close(self) -> None:
        """Close every connection; it may be called twice."""
        ...
