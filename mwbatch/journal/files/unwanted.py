"""Reading that nobody waits for any more: whoever reads in a thread looks here at each block, and ends."""

from contextvars import ContextVar
from dataclasses import dataclass
from io import DEFAULT_BUFFER_SIZE, BufferedReader, FileIO
from typing import BinaryIO, Final


class Unwanted(Exception):
    """Nobody waits for what is read here."""


@dataclass(slots=True)
class Wish:
    """Whether a job is wanted still; known to whatever runs in its context."""

    gone: bool = False

    def end(self) -> None:
        """It is not."""
        self.gone = True


WISH: Final = ContextVar[Wish | None]("wish", default=None)


class Wanted(FileIO):
    """A file that is read for as long as somebody wants it:
    raises `Unwanted` at the next block after that.
    """

    # as `BufferedReader` calls it
    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Read one block."""
        wish = WISH.get()
        if wish is not None and wish.gone:
            raise Unwanted
        return super().readinto(buffer)


def reader(file: int, buffering: int) -> BinaryIO:
    """An open file to be read, in blocks of so many bytes (0: as it is asked for, -1: as files are);
    it is closed with this.
    """
    raw = Wanted(file, "rb")
    return raw if buffering == 0 else BufferedReader(raw, buffering if buffering > 0 else DEFAULT_BUFFER_SIZE)
