"""Objects that hold sockets belong to one event loop:
in another they would write where nobody listens for the answer.
"""

import asyncio

from mwbatch.errors import UsageError


class Belonging:
    """To which event loop an object belongs: the one in which it is first used.

    ``what`` names it, with its article.
    """

    __slots__ = ("_closed", "_loop", "_what")

    def __init__(self, what: str) -> None:
        self._what, self._closed = what, False
        self._loop: asyncio.AbstractEventLoop | None = None

    def check(self) -> None:
        """Raise `UsageError` unless it may be used here and now."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop or self._closed:
            self._take(loop)

    def end(self) -> None:
        """It is being closed; that may happen twice, and in any loop once its own is gone.

        Raises:
            UsageError: its own loop lives elsewhere.
        """
        if self._loop is not None and not self._loop.is_closed():
            self._same(asyncio.get_running_loop())
        self._closed = True

    def _take(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._closed:
            raise UsageError(f"{self._what} that was closed is used no more: make a new one")
        self._loop = self._loop or loop
        self._same(loop)

    def _same(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._loop is not loop:
            raise UsageError(
                f"{self._what} belongs to one event loop, and this one was used in another: make a new one "
                "inside the function that asyncio.run() runs"
            )
