"""Boxes: which numbers make one, which reach beyond the image, and what clipping leaves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.codec.json_codec import Json
from mwbatch.core.labels.boxes import Box, box_of, clipped, outside, turned
from mwbatch.core.manifest.image_size import Size, misspelt_size, told_size
from tests.unit.export.batches import tag

SIZE = Size(100, 50)
sides = st.integers(-200, 200) | st.floats(-200, 200)
boxes = st.builds(Box, sides, sides, sides, sides)


@pytest.mark.parametrize(
    "number", [None, "5", True, [1], 1e10, -(10**400), float("nan"), float("inf")], ids=str
)
def test_what_is_no_number(number: Json) -> None:
    """A side that is missing, no number or beyond any image makes no box; it is never guessed."""
    assert box_of(tag(left=number)) is None
    assert box_of(tag(height=number)) is None


def test_numbers_stay_as_they_are() -> None:
    """Whole numbers stay whole, others are not rounded."""
    assert repr(box_of(tag(left=1, top=2.5))) == "Box(left=1, top=2.5, width=3, height=4)"


@pytest.mark.parametrize(
    ("box", "reaches"),
    [
        (Box(0, 0, 100, 50), False),
        (Box(0, 0, 100.5, 50), True),
        (Box(0, 1, 100, 50), True),
        (Box(-0.25, 0, 1, 1), True),
        (Box(0, -1, 1, 1), True),
        (Box(99, 49, 1, 1), False),
    ],
)
def test_beyond_the_image(box: Box, reaches: bool) -> None:
    """A box that ends at the border is within; a part of a pixel more is not."""
    assert outside(box, SIZE) is reaches


def test_without_a_size() -> None:
    """Of an image of unknown size only the left and upper border are known."""
    assert (outside(Box(0, 0, 9e8, 1), None), outside(Box(-1, 0, 1, 1), None)) == (False, True)
    assert clipped(Box(-1, -1, 10, 10), None) == Box(0, 0, 9, 9)


@given(boxes)
def test_clipping(box: Box) -> None:
    """What clipping leaves lies within image and box and has area; a box within stays as it is."""
    left = clipped(box, SIZE)
    if left is None:
        assert box.empty or box.left >= 100 or box.top >= 50 or box.right <= 0 or box.bottom <= 0
        return
    assert not left.empty
    assert left.left >= max(0, box.left)
    assert left.top >= max(0, box.top)
    assert left.right <= min(100, box.right) + 1e-9
    assert left.bottom <= min(50, box.bottom) + 1e-9
    if not outside(box, SIZE):
        assert left == pytest.approx(box)


@given(boxes)
def test_turning_round(box: Box) -> None:
    """Whatever way a box was drawn, it is the same rectangle from its upper left corner; one that was drawn
    so stays as it is.
    """
    upright = turned(box)
    assert (upright.width, upright.height) == (abs(box.width), abs(box.height))
    assert sorted((upright.left, upright.right)) == pytest.approx(sorted((box.left, box.right)))
    assert sorted((upright.top, upright.bottom)) == pytest.approx(sorted((box.top, box.bottom)))
    if box.width >= 0 and box.height >= 0:
        assert upright == box


@pytest.mark.parametrize(
    ("width", "height", "size", "misspelt"),
    [
        (640, "480", Size(640, 480), False),
        ("640", 480.0, Size(640, 480), False),
        (None, "", None, False),
        (640, None, None, True),
        (0, 480, None, True),
        ("-1", "480", None, True),
        ("wide", "480", None, True),
        (True, 480, None, True),
        (640.5, 480, None, True),
        ("9" * 30, "480", None, True),
        ("\u0661", "480", None, True),
    ],
)
def test_sizes_of_the_manifest(width: Json, height: Json, size: Size | None, misspelt: bool) -> None:
    """Two whole numbers greater than 0 are a size, as text too; anything else is none, and is noticed."""
    columns = {"image_width": width, "image_height": height}
    assert (told_size(columns), misspelt_size(columns)) == (size, misspelt)
