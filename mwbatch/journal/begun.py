r"""How far a batch has come, kept outside of its folder: so that a folder put back as it was earlier shows.

::

    .begun/{batch id}.jsonl   {"segment":"journal/20240101T…jsonl","size":4711,"crc":"89abcdef"}\n

A size is noted once that many bytes of the segment are durable, and before a request leaves that rests on them. It never
says more than is true, so what is missing or cannot be read here speaks against nothing.
"""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from mwbatch.core.lines import BadLine, checked, sealed
from mwbatch.core.text import BadJson, decode_object, encode
from mwbatch.errors import StoreError
from mwbatch.journal.disk import DISK, Disk
from mwbatch.journal.replacing import aside

FOLDER: Final = ".begun"
"""Below the home; no batch can have such a name."""


class Begun:
    """The sizes in bytes of a batch's segments, by their path below its folder. All methods block."""

    def __init__(self, path: Path, disk: Disk = DISK) -> None:
        self._path, self._disk = path, disk
        self._file: int | None = None

    def sizes(self) -> dict[str, int]:
        """The greatest size that was ever noted of each segment; none where nothing was.

        Raises:
            StoreError: the file is there and cannot be read.
        """
        try:
            lines = self._path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise StoreError(f"cannot read {self._path}: {error.strerror}") from error
        found: dict[str, int] = {}
        for text in lines:
            try:
                record = decode_object(checked(text) + b"}")
                name, size = str(record["segment"]), int(record["size"])
            except (BadLine, BadJson, KeyError, TypeError, ValueError):  # cut off, as a crash leaves it
                continue
            found[name] = max(size, found.get(name, 0))
        return found

    def write(self, sizes: Mapping[str, int]) -> None:
        """Note the sizes of all segments, in the place of what stood here; durable once this returns.

        Raises:
            StoreError: they cannot be noted.
        """
        self.close()
        try:
            self._disk.make_folder(self._path.parent)
            with aside(self._path, self._disk) as new:
                new.write(b"".join(_line(name, size) for name, size in sizes.items()))
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
    return sealed(encode({"segment": name, "size": size})[:-1])
