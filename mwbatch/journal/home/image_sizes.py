"""The sizes of images that were measured, beside the journal: a cache, so a lost line costs one look."""

from array import array
from pathlib import Path
from typing import Final

from mwbatch.core.codec.json_codec import BadJson, decode_object, encode, is_count
from mwbatch.core.manifest.cells import MAX_PIXELS
from mwbatch.core.manifest.image_size import ORIENTATIONS, Measured
from mwbatch.errors import StoreError
from mwbatch.journal.files.disk import DISK, read_own

NAME: Final = "images.jsonl"


class ImageSizes:
    """Sizes by row, 9 bytes each; a row's image never changes, so its number is all that names it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._width, self._height, self._orientation = array("i"), array("i"), array("b")
        self._unwritten: list[bytes] = []
        self._read()

    def get(self, row: int) -> Measured | None:
        """The size of a row's image; None where it was not measured."""
        if row >= len(self._width) or not self._width[row]:
            return None
        return Measured(self._width[row], self._height[row], self._orientation[row])

    def add(self, row: int, size: Measured) -> None:
        """Keep a size; `flush` writes it."""
        self._keep(row, size)
        self._unwritten.append(encode({"row": row, **size._asdict()}) + b"\n")

    def flush(self) -> None:
        """Write what was added; raises `StoreError` where that fails."""
        if not self._unwritten:
            return
        try:
            # The first newline ends a line that a killed process may have left half written.
            DISK.append(self._path, b"\n" + b"".join(self._unwritten))
        except OSError as error:
            raise StoreError(f"cannot write {self._path}: {error.strerror}") from error
        self._unwritten.clear()

    def _read(self) -> None:
        try:
            with read_own(self._path) as file:
                for text in file:
                    self._line(text)
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreError(f"cannot read {self._path}: {error.strerror}") from error

    def _line(self, text: bytes) -> None:
        """Take in one line; what is not a whole one of ours was cut off, and is measured again.

        So is one without an orientation: older versions did not look for it.
        """
        try:
            said = decode_object(text)
        except BadJson:
            return
        row, width, height, orientation = map(said.get, ("row", *Measured._fields))
        if not (is_count(row) and is_count(width) and is_count(height) and is_count(orientation)):
            return
        if _fit(width) and _fit(height) and orientation in ORIENTATIONS:
            self._keep(row, Measured(width, height, orientation))

    def _keep(self, row: int, size: Measured) -> None:
        if (missing := row + 1 - len(self._width)) > 0:
            # MUST be in this order: a thread that looks others up goes by how many widths there are.
            self._orientation.frombytes(bytes(missing))
            self._height.frombytes(bytes(self._height.itemsize * missing))
            self._width.frombytes(bytes(self._width.itemsize * missing))
        self._height[row], self._orientation[row], self._width[row] = (
            size.height,
            size.orientation,
            size.width,
        )


def _fit(pixels: int) -> bool:
    return 0 < pixels <= MAX_PIXELS
