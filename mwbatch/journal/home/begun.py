r"""How far a batch has come, kept outside of its folder: so that a folder put back as it was earlier shows.

::

    .begun/{batch id}.jsonl   {"segment":"journal/20240101T…jsonl","size":4711,"crc":"89abcdef"}\n
                              {"tasks":42,"crc":"89abcdef"}\n

A size is noted once that many bytes of the segment are durable, and before a request leaves that rests on
them. With the sizes of a run's beginning and of its end stands how many tasks the API had told of by then. It
never says more than is true, so what is missing or cannot be read here speaks against nothing.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from mwbatch.core.codec.json_codec import Json, field
from mwbatch.core.facts.lines import BadLine, sealed, unsealed
from mwbatch.errors import StoreError
from mwbatch.journal.files.disk import DISK, Disk, content_of
from mwbatch.journal.files.replacing import aside

FOLDER: Final = ".begun"
"""Below the home; no batch can have such a name."""


class Begun:
    """The sizes in bytes of a batch's segments, by their path below its folder, and its tasks.

    All methods block.
    """

    def __init__(self, path: Path, disk: Disk = DISK) -> None:
        self._path, self._disk = path, disk
        self._file: int | None = None

    def sizes(self) -> dict[str, int]:
        """The greatest size that was ever noted of each segment; none where nothing was.

        Raises:
            StoreError: the file is there and cannot be read.
        """
        found: dict[str, int] = {}
        for record in self._records():
            with suppress(KeyError, TypeError, ValueError):
                name, size = field(record, "segment", str), field(record, "size", int)
                found[name] = max(size, found.get(name, 0))
        return found

    def tasks(self) -> int:
        """How many tasks the API had told of, at the most; 0 where nothing was noted. Raises as `sizes`."""
        found = 0
        for record in self._records():
            with suppress(KeyError, TypeError, ValueError):
                found = max(found, field(record, "tasks", int))
        return found

    def _records(self) -> Iterator[dict[str, Json]]:
        """What was noted; not what was cut off, as a crash leaves it."""
        try:
            lines = content_of(self._path).split(b"\n")
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreError(f"cannot read {self._path}: {error.strerror}") from error
        for text in lines:
            with suppress(BadLine):
                yield unsealed(text)

    def write(self, sizes: Mapping[str, int], tasks: int = 0) -> None:
        """Note the sizes of all segments, and how many tasks are known, in the place of what stood here.

        Then durable.

        Raises:
            StoreError: they cannot be noted.
        """
        self.close()
        try:
            self._disk.make_folder(self._path.parent)
            with aside(self._path, self._disk) as new:
                noted = b"".join(_line(name, size) for name, size in sizes.items())
                new.write(noted + (sealed({"tasks": tasks}) if tasks else b""))
                new.replace()
                self._file = new.detach()
        except OSError as error:
            raise self._not_noted(error) from error

    def add(self, name: str, size: int) -> None:
        """Note the size of one segment, after `write`; durable once this returns. Raises as it."""
        try:
            self._append(b"\n" + _line(name, size))  # what stands before may be cut off
        except OSError as error:
            raise self._not_noted(error) from error

    def close(self) -> None:
        """Release the file."""
        if self._file is not None:
            file, self._file = self._file, None
            with suppress(OSError):  # what was noted is durable
                self._disk.close(file)

    def _append(self, text: bytes) -> None:
        assert self._file is not None
        rest = memoryview(text)
        while rest:
            rest = rest[self._disk.write(self._file, rest) :]
        self._disk.sync(self._file)

    def _not_noted(self, error: OSError) -> StoreError:
        return StoreError(f"cannot write {self._path}: {error.strerror}; nothing is sent without it")


def _line(name: str, size: int) -> bytes:
    return sealed({"segment": name, "size": size})
