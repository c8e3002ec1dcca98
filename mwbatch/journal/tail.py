"""Reading on: what was written to a batch since the last look, without reading anything twice.

For views alone: bytes that are no fact are passed over, and what a writer took back again, since its disk was full,
stays known until the next look.
"""

from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from mwbatch.core.batch import Batch
from mwbatch.core.lines import BadLine, UnknownFact
from mwbatch.errors import StoreError
from mwbatch.journal.disk import read_own
from mwbatch.journal.segment import Taken, segments_in
from mwbatch.journal.segments import FOLDERS

_MARK: Final = 20
"""So many bytes before the place where reading ended, a checksum among them, tell whether the file is still the same."""


class Tail:
    """One segment, read on from where the last look ended; a line that is not whole yet waits for the next look."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._end, self._mark = 0, b""

    def is_cut(self) -> bool:
        """Whether something that was read is not there any more: a writer cuts off what a full disk did not take."""
        try:
            with read_own(self.path) as file:
                file.seek(self._end - len(self._mark))
                return file.read(len(self._mark)) != self._mark
        except FileNotFoundError:  # a segment that vanishes was empty
            return self._end > 0
        except OSError as error:
            raise StoreError(f"cannot read {self.path}: {error.strerror}") from error

    def read(self, take: Callable[[bytes], Taken]) -> Iterator[tuple[int, Taken]]:
        """The lines that are new, each with its byte offset, as ``take`` makes them; all lines where `is_cut`.

        Raises:
            StoreError: the file cannot be read, or holds a fact of a version that this code does not know.
        """
        try:
            with read_own(self.path) as file:
                file.seek(self._end - len(self._mark))
                if file.read(len(self._mark)) != self._mark:
                    self._end = file.seek(0)
                for text in file:
                    if not text.endswith(b"\n"):
                        return
                    offset, self._end, self._mark = self._end, self._end + len(text), text[-_MARK:]
                    try:
                        taken = take(text[:-1])
                    except UnknownFact as error:
                        raise StoreError(f"{self.path} at byte {offset}: {error}") from None
                    except BadLine:  # `status` and `reconcile` tell of damage
                        continue
                    yield offset, taken
        except FileNotFoundError:  # its writer removes a segment in which nothing was written
            return
        except OSError as error:
            raise StoreError(f"cannot read {self.path}: {error.strerror}") from error


class Watched:
    """A batch folder and its state, kept in step while others write. Blocks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tails: dict[Path, Tail] = {}
        self._state = Batch()

    def look(self) -> Batch:
        """The state by what is on disk now; only what is new is read, or all where something was taken back."""
        if any(tail.is_cut() for tail in self._tails.values()):
            self._tails, self._state = {}, Batch()
        for name in FOLDERS:
            for path in segments_in(self._folder / name):
                tail = self._tails.setdefault(path, Tail(path))
                deque(tail.read(self._state.add_line), maxlen=0)
        return self._state
