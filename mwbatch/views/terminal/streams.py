"""Standard output and standard error: the one door to them, for all that is printed.

Text leaves whole, whatever is at the other end: a slow pipe, a full one, one that must not be waited for. It
leaves without what a terminal obeys (`mwbatch.core.words.printable`). And a stream that fails hurts nobody
who prints: words to a reader who has gone are dropped, and what the disk does not take is told once, at the
end.
"""

import codecs
import errno
import io
import os
import select
import stat
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final, TextIO

from mwbatch.core.words.printable import encoded, encoded_json

CLEAR: Final = "\r\x1b[2K"
"""Takes away what stands on the line."""

MOST_WORDS: Final = 1 << 20
"""The bytes of words that wait for a reader who stands still, while others are not to be held up by him;
then they are dropped.
"""

USUAL: Final = 80
"""Columns of a terminal that does not say how many it has."""

LEAST: Final = 20
"""Columns below which a terminal is taken for one that folds lines by itself."""

MOST: Final = 1000
"""Columns beyond which nobody has a terminal: what says so is taken for a mistake, and costs no memory."""

MOMENT: Final = 0.005
"""Seconds between two looks at whether there is room again."""

_GONE: Final = (errno.EPIPE, errno.ECONNRESET)


class Stream(io.TextIOBase):
    """One of the two; it takes the place of Python's own.

    ``patient``: printing waits until all is written; else what finds no room waits in memory for the next
    time. ``gone``: whoever read it has left. ``failure`` is why nothing can be written any more. Where
    ``most`` bytes wait, what comes then is dropped. ``above`` is the stream whose line gives way to this
    one's text.
    """

    def __init__(self, file: int, encoding: str = "utf-8", most: int | None = None) -> None:
        self._file, self._encoding, self._most = file, encoding, most
        self._kept, self._lock = bytearray(), threading.RLock()
        self._is_tty, self._is_file = os.isatty(file), stat.S_ISREG(os.fstat(file).st_mode)
        self._door = _own_door(file) if self._is_tty else file
        self._line = ""
        self.patient, self.gone = True, False
        self.failure: OSError | None = None
        self.above: Stream | None = None

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of its bytes."""
        return self._encoding

    @property
    def over(self) -> bool:
        """Whether nothing more is written, so that printing makes no sense.

        Looks whether the reader is there still.
        """
        self.gone = self.gone or self._is_left()
        return self.gone or self.failure is not None

    @property
    def waits(self) -> bool:
        """Whether something that was printed is not written yet."""
        return bool(self._kept)

    def fileno(self) -> int:
        """The number of the file."""
        return self._file

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._is_tty

    @property
    def moves(self) -> bool:
        """Whether it is a terminal on which what stands on a line can be taken away."""
        return self._is_tty and os.environ.get("TERM", "dumb") not in {"dumb", "unknown", ""}

    def close(self) -> None:
        """Close what is its own; the file stays open."""
        super().close()
        if self._door != self._file:
            os.close(self._door)
            self._door = self._file

    def writable(self) -> bool:
        """It is."""
        return True

    @property
    def columns(self) -> int | None:
        """How wide the terminal is; None where it is none."""
        if not self._is_tty:
            return None
        try:
            said = int(os.environ.get("COLUMNS") or os.get_terminal_size(self._file).columns)
        except (OSError, ValueError):  # it was closed this moment
            said = 0
        return min(max(said, LEAST), MOST) if said else USUAL

    def write(self, text: str) -> int:
        """Print text, above the line that is drawn, if there is one."""
        self._send(encoded(text, self._encoding))
        return len(text)

    def json(self, value: bytes) -> None:
        """Print JSON in UTF-8, as `encode` makes it; the newline is the caller's."""
        self._send(encoded_json(value, self._encoding))

    def draw(self, line: str) -> None:
        """Show a line, which may hold escape codes, until the next one or the next text;
        skipped where there is no room.
        """
        with self._lock:
            if not (self._kept or self.over) and line != self._line and self._has_room(wait=False):
                self._kept += (CLEAR + line).encode(self._encoding, "replace")
                self._line = line
                self.flush()

    def flush(self) -> None:
        """Write what waits, as far as there is room; where printing is ``patient``, all of it."""
        with self._lock:
            while self._kept and self._has_room(wait=self.patient) and (self._write_some() or self.patient):
                pass

    def abandon(self) -> None:
        """Forget what waits: the user does not want it any more."""
        with self._lock:
            self._kept.clear()

    def _send(self, content: bytes) -> None:
        if self.above is not None:
            self.above.draw("")
        with self._lock:
            if self.over or (self._most is not None and not self.patient and len(self._kept) > self._most):
                return
            if self._line:
                self._kept += CLEAR.encode()
                self._line = ""
            self._kept += content
            self.flush()

    def _write_some(self) -> bool:
        """Write no more than what there is surely room for,
        so that nobody has to wait in the middle of it.
        """
        size = len(self._kept) if self._is_file else select.PIPE_BUF
        try:
            with memoryview(self._kept) as kept:
                written = os.write(self._door, kept[:size])
            del self._kept[:written]
        except BlockingIOError:  # others write there, too, and were faster
            time.sleep(MOMENT)
            return False
        except OSError as error:
            self._kept.clear()
            if error.errno in _GONE or (self._is_tty and error.errno == errno.EIO):
                self.gone = True
            else:
                self.failure = error
        return True

    def _is_left(self) -> bool:
        there = select.poll()
        there.register(self._file, 0)
        return any(event & select.POLLERR for _, event in there.poll(0))

    def _has_room(self, *, wait: bool) -> bool:
        return self._is_file or bool(select.select([], [self._file], [], None if wait else 0)[1])


def _own_door(terminal: int) -> int:
    """Open a terminal once more, so that no write to it ever waits.

    Unlike a pipe, it says that there is room where there is some, not where a whole piece fits. The flag
    that forbids waiting would be shared with everybody who has inherited the terminal, hence an opening of
    our own. Where there is no way to it (after `su`, or in a container) the terminal itself must do.
    """
    try:
        return os.open(os.ttyname(terminal), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        return terminal


def take_over() -> tuple[Stream, Stream]:
    """Put ours in the place of Python's standard streams,
    and the null device in the place of those that are closed.

    MUST come before anything is opened: else a socket or a segment gets the number of a closed stream, and
    words are written into it.
    """
    for file in range(3):
        try:
            os.fstat(file)
        except OSError:
            os.dup2(os.open(os.devnull, os.O_RDWR), file)
    if sys.stdin is None:
        sys.stdin = open(0)  # noqa: SIM115 (for as long as the program lives)
    out, err = Stream(1, _encoding(sys.stdout)), Stream(2, _encoding(sys.stderr), MOST_WORDS)
    if out.isatty() and err.isatty():
        out.above = err
    sys.stdout, sys.stderr = out, err
    return out, err


def _encoding(old: TextIO | None) -> str:
    """That of Python's own stream, by its one name."""
    return codecs.lookup(old.encoding if old is not None and old.encoding else "utf-8").name


def abandon() -> None:
    """Forget what standard output has not written yet: the user does not want it any more."""
    if isinstance(sys.stdout, Stream):
        sys.stdout.abandon()


@contextmanager
def hurried(stopped: Callable[[], bool]) -> Iterator[None]:
    """While the block runs nobody who prints waits for a reader: requests are in flight,
    and signals are to be heard.

    What waits then is written at its end; words only if the user has not ``stopped`` it, who would have to
    wait for them.
    """
    out, err = sys.stdout, sys.stderr
    if not (isinstance(out, Stream) and isinstance(err, Stream)):
        yield
        return
    out.patient = err.patient = False
    try:
        yield
    finally:
        out.patient, err.patient = True, not stopped()
        err.flush()
        out.flush()


async def written(out: Stream, sleep: Callable[[float], Awaitable[bool]]) -> bool:
    """Wait until all that was printed is written, without holding up anybody;
    whether printing more makes sense.

    ``sleep`` says whether the user has asked to stop.
    """
    out.flush()
    while out.waits:
        if await sleep(MOMENT):
            out.abandon()
            return False
        out.flush()
    return not out.over
