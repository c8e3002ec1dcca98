"""Boxes in pixels, and what is wrong with them."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from mwbatch.core.manifest.cells import BOX, MAX_PIXELS
from mwbatch.core.manifest.image_size import Size

_NUMBERS: Final = frozenset((int, float))
"""What a side may be, and nothing derived from it: True is no number."""


class Box(NamedTuple):
    """In pixels from the left and upper border of the image, as they were told: whole or not."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The far edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """The far edge."""
        return self.top + self.height

    @property
    def empty(self) -> bool:
        """Whether it has no area; a side too short to move its far edge has no length."""
        return self.right <= self.left or self.bottom <= self.top


def box_of(tag: Mapping[str, Any]) -> Box | None:
    """The box of a tag; None where one of its numbers is missing, is none, or is beyond any image."""
    sides: list[Any] = [*map(tag.get, BOX)]
    usable = _NUMBERS.issuperset(map(type, sides)) and all(
        -MAX_PIXELS <= side <= MAX_PIXELS for side in sides
    )
    return Box(*sides) if usable else None


def turned(box: Box) -> Box:
    """The same rectangle with its corner at the upper left: who draws to the left or upwards may leave
    extents below 0, and many readers refuse a whole set over one.
    """
    left, top, width, height = box
    if width < 0:
        left, width = left + width, -width
    if height < 0:
        top, height = top + height, -height
    return Box(left, top, width, height)


def outside(box: Box, size: Size | None) -> bool:
    """Whether it reaches beyond its image; of one whose size is not known,
    beyond its left and upper border.
    """
    if box.left < 0 or box.top < 0:
        return True
    return size is not None and (box.right > size.width or box.bottom > size.height)


def clipped(box: Box, size: Size | None) -> Box | None:
    """What lies within the image; None where nothing does."""
    left, top, right, bottom = max(box.left, 0), max(box.top, 0), box.right, box.bottom
    if size is not None:
        right, bottom = min(right, size.width), min(bottom, size.height)
    within = Box(left, top, right - left, bottom - top)
    return None if within.empty else within
