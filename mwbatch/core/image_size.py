"""The size of an image, as the manifest may tell it."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from mwbatch.core.cells import MAX_PIXELS, absent
from mwbatch.core.text import Json

WIDTH: Final = "image_width"
HEIGHT: Final = "image_height"


class Size(NamedTuple):
    """Width and height in pixels, as they are stored: EXIF orientation is not applied."""

    width: int
    height: int


def told_size(columns: Mapping[str, Json]) -> Size | None:
    """What the columns ``image_width`` and ``image_height`` say; None where that is no size."""
    width, height = _pixels(columns.get(WIDTH)), _pixels(columns.get(HEIGHT))
    return Size(width, height) if width and height else None


def misspelt_size(columns: Mapping[str, Json]) -> bool:
    """Whether these columns say something that is no size."""
    said = any(not absent(columns.get(name)) for name in (WIDTH, HEIGHT))
    return said and told_size(columns) is None


def _pixels(cell: Json) -> int:
    """A whole number greater than 0, or its digits; 0 for anything else."""
    if isinstance(cell, str) and cell.isascii() and cell.strip().isdigit():
        cell = int(cell) if len(cell) < 20 else 0
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return cell if type(cell) is int and 0 < cell <= MAX_PIXELS else 0
