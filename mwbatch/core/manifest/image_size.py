"""The size of an image, as the manifest may tell it."""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from mwbatch.core.codec.json_codec import Json
from mwbatch.core.manifest.cells import MAX_PIXELS, absent

WIDTH: Final = "image_width"
HEIGHT: Final = "image_height"

_WHOLE: Final = re.compile(r"\s*([0-9]{1,18})(?:\.0*)?\s*", re.ASCII).fullmatch


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
    """A whole number greater than 0, as a number or as text (640, 640.0); 0 for anything else."""
    if isinstance(cell, str) and (text := _WHOLE(cell)):
        cell = int(text[1])
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return cell if type(cell) is int and 0 < cell <= MAX_PIXELS else 0
