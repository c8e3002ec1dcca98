"""The size of an image, as the manifest may tell it or its header does, and the frame that it is of."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from mwbatch.core.codec.json_codec import Json
from mwbatch.core.manifest.cells import MAX_PIXELS, absent

WIDTH: Final = "image_width"
HEIGHT: Final = "image_height"

_WHOLE: Final = re.compile(r"\s*([0-9]{1,18})(?:\.0*)?\s*", re.ASCII).fullmatch


class Frame(StrEnum):
    """Of which picture a size is that: cameras store some turned, and say so (EXIF orientation)."""

    DISPLAYED = "displayed"
    """As browsers and trainers show it: the orientation is applied."""
    STORED = "stored"
    """As its file has it."""
    TOLD = "told"
    """The manifest says so, and nobody looked."""


class Size(NamedTuple):
    """Width and height in pixels."""

    width: int
    height: int


UPRIGHT: Final = 1
"""The orientation of a picture that is stored as it is displayed."""

ORIENTATIONS: Final = range(UPRIGHT, 9)

_ACROSS: Final = frozenset((5, 6, 7, 8))
"""The orientations that make rows of columns."""


class Measured(NamedTuple):
    """What a picture's header tells: width and height in pixels as they are stored,
    and its EXIF orientation, 1 to 8.
    """

    width: int
    height: int
    orientation: int = UPRIGHT

    @property
    def stored(self) -> Size:
        """The size of what is in the file."""
        return Size(self.width, self.height)

    @property
    def displayed(self) -> Size:
        """The size of what people see."""
        return Size(self.height, self.width) if self.orientation in _ACROSS else self.stored

    def size(self, frame: Frame) -> Size:
        """That of one of its frames."""
        return self.stored if frame is Frame.STORED else self.displayed


def told_size(columns: Mapping[str, Json]) -> Size | None:
    """What the columns ``image_width`` and ``image_height`` say; None where that is no size."""
    width, height = _pixels(columns.get(WIDTH)), _pixels(columns.get(HEIGHT))
    return Size(width, height) if width and height else None


def misspelt_size(columns: Mapping[str, Json]) -> bool:
    """Whether these columns say something that is no size."""
    said = any(not absent(columns.get(name)) for name in (WIDTH, HEIGHT))
    return said and told_size(columns) is None


def _pixels(cell: Json) -> int:
    """A whole number greater than 0, as a number or as text (640, 640.0); 0 for anything else."""
    if isinstance(cell, str) and (text := _WHOLE(cell)):
        cell = int(text[1])
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return cell if type(cell) is int and 0 < cell <= MAX_PIXELS else 0
