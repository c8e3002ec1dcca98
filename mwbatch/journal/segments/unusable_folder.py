"""Unusable segments: the callbacks of a batch that did not fit, beside its journal and no part of it.

::

    rejects/  *.jsonl   written by receivers, read by people

Nothing is computed from them, so they are written in a plain way, bounded, and read with indulgence.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mwbatch.core.facts.lines import BadLine
from mwbatch.errors import StoreError
from mwbatch.journal.files.disk import DISK, Disk, content_of
from mwbatch.journal.files.renaming import give_name
from mwbatch.journal.segments.scan import written_now
from mwbatch.journal.segments.segment import Segment

if TYPE_CHECKING:
    from mwbatch.core.api.unusable import Unusable

REJECTS: Final = "rejects"
"""The folder below that of a batch, or of its inbox."""


class UnusableFolder:
    """The reject segments of one folder: writes one of its own, until all of them hold ``most`` bytes.

    Blocks.
    """

    def __init__(self, folder: Path, writer: str, most: int, disk: Disk = DISK) -> None:
        self._folder, self._writer, self.most, self._disk = folder / REJECTS, writer, most, disk
        self._segment: Segment | None = None

    def append(self, reject: "Unusable") -> bool:
        """Make one reject durable; says whether there was room for it.

        Raises:
            StoreError: the disk fails.
        """
        from mwbatch.core.api.unusable import line  # noqa: PLC0415 (as in `_parsed`)

        text = line(reject)
        try:
            if _size(self._folder) + len(text) > self.most:
                return False
            self._written().append(text)
        except OSError as error:
            raise StoreError(f"cannot write in {self._folder}: {error.strerror}") from error
        return True

    def _written(self) -> Segment:
        """The segment to write to.

        A new one where somebody has cleared the folder: that is how rejects are ticked off.
        """
        if self._segment is not None and not self._segment.path.exists():
            self.close()
        if self._segment is None:
            self._segment = Segment(self._folder, self._writer, self._disk)
        return self._segment

    def close(self) -> None:
        """Release the file."""
        if self._segment is not None:
            segment, self._segment = self._segment, None
            segment.close()


def read(folder: Path) -> "Iterator[Unusable]":
    """Every reject below the folder of a batch.

    What cannot be read is left out, since no rule rests on it.
    """
    for path in _segments(folder / REJECTS):
        try:
            lines = content_of(path).split(b"\n")
        except OSError:
            continue
        yield from _parsed(lines)


def _parsed(lines: Iterable[bytes]) -> "Iterator[Unusable]":
    from mwbatch.core.api.unusable import parse  # noqa: PLC0415 (with all of addresses, and most batches have none)

    for text in lines:
        with suppress(BadLine):
            yield parse(text)


def distinct(*folders: Path) -> "list[Unusable]":
    """The rejects of a batch, wherever they came in, each once, in the order of their coming."""
    found = {reject.identity: reject for folder in folders for reject in read(folder)}
    return sorted(found.values(), key=lambda reject: (reject.at, reject.identity))


def move(source: Path, target: Path, disk: Disk = DISK) -> None:
    """Move the segments that nobody writes any more from one batch folder to another.

    Raises:
        StoreError: they cannot be moved; each is whole, here or there.
    """
    done = [path for path in _segments(source / REJECTS) if not written_now(path)]
    if not done:
        return
    try:
        disk.make_folder(target / REJECTS)
        for path in done:
            give_name(path, target / REJECTS / path.name)
        disk.sync_folder(target / REJECTS)
    except OSError as error:
        raise StoreError(f"cannot move {source / REJECTS} to {target}: {error.strerror}") from error


def _segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jsonl"))


def _size(folder: Path) -> int:
    size = 0
    for path in _segments(folder):
        with suppress(OSError):
            size += path.stat().st_size
    return size
