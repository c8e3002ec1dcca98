"""CSV: RFC 4180 in UTF-8, save that no cell is a formula to a spreadsheet."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from io import TextIOWrapper
from typing import BinaryIO, Final, Protocol, TextIO

from mwbatch.export.formats.table import Cell, header, lines
from mwbatch.export.job import Job
from mwbatch.export.names import suffix
from mwbatch.export.picture import Picture
from mwbatch.journal.outputs.target import Target

_FORMULA: Final = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""What makes a spreadsheet run a cell (OWASP, "CSV Injection"), full-width forms among them."""

_NUMBER: Final = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
IMAGES: Final = ("row", "id", "file", "image_url", "image_width", "image_height", "tags", "frame")


def write_csv(pictures: Iterable[Picture], target: Target, job: Job) -> None:
    """Write one line a tag."""
    with _text(target.open()) as file:
        write = line_writer(file, header(job.columns))
        for picture in pictures:
            write.writerows(lines(picture, job.columns, harmless))


def listed(pictures: Iterable[Picture], target: Target, job: Job) -> Iterator[Picture]:
    """Pass the pictures on, and write which file each is: ``images.csv``, a line an image."""
    with _text(target.open("images.csv")) as file:
        write = line_writer(file, IMAGES)
        for picture in pictures:
            width, height = picture.size or (None, None)
            cells = (
                picture.row,
                picture.id,
                file_name(picture, job),
                picture.url,
                width,
                height,
                len(picture.tags),
                picture.frame,
            )
            write.writerow(map(harmless, cells))
            yield picture


def _text(file: BinaryIO) -> TextIO:
    return TextIOWrapper(file, encoding="utf-8", newline="")


def file_name(picture: Picture, job: Job) -> str:
    """The name of an image's file."""
    return job.names.name(picture.row, picture.id) + suffix(picture.url)


def harmless(cell: Cell) -> Cell:
    """A cell that nobody runs: text that looks like a formula gets an apostrophe before it.

    A plain number is none.
    """
    if isinstance(cell, str) and cell[:1] in _FORMULA and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


class Lines(Protocol):
    """What the standard library's writer of lines does."""

    def writerow(self, row: Iterable[object], /) -> object:
        """Write one line."""
        ...

    def writerows(self, rows: Iterable[Iterable[object]], /) -> object:
        """Write some lines."""
        ...


def line_writer(file: TextIO, names: Sequence[str]) -> "Lines":
    """A writer of lines after a first one with these names."""
    # It ends lines with CRLF, as RFC 4180 has it: with a bare LF, Python 3.11 leaves a lone CR unquoted.
    writer = csv.writer(file)
    writer.writerow(map(harmless, names))
    return writer
