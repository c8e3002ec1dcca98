"""The size of an image, as a manifest may tell it."""

import pytest

from mwbatch.core.codec.json_codec import Json
from mwbatch.core.manifest.cells import MAX_PIXELS
from mwbatch.core.manifest.image_size import ORIENTATIONS, Frame, Measured, Size, misspelt_size, told_size


@pytest.mark.parametrize(
    ("width", "height", "size", "misspelt"),
    [
        (640, 480, Size(640, 480), False),
        ("640", " 480 ", Size(640, 480), False),
        (640.0, "480", Size(640, 480), False),
        ("640.0", "480.", Size(640, 480), False),
        ("640.5", "480", None, True),
        (None, "", None, False),
        (640, None, None, True),
        ("wide", "480", None, True),
        (0, 480, None, True),
        (-1, 480, None, True),
        (True, 480, None, True),
        (640.5, 480, None, True),
        ("9" * 30, 480, None, True),
        (MAX_PIXELS + 1, 480, None, True),
    ],
)
def test_what_a_manifest_tells(width: Json, height: Json, size: Size | None, misspelt: bool) -> None:
    """Whole numbers greater than 0, as a number or as text, are a size;
    anything else that is said is misspelt.
    """
    columns = {"image_width": width, "image_height": height}
    assert (told_size(columns), misspelt_size(columns)) == (size, misspelt)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_the_frames_of_a_measured_picture(orientation: int) -> None:
    """The last four orientations of EXIF make rows of columns, the others leave the size as it is stored."""
    found = Measured(4, 3, orientation)
    assert found.size(Frame.STORED) == found.stored == Size(4, 3)
    assert found.size(Frame.DISPLAYED) == found.displayed == (Size(3, 4) if orientation > 4 else Size(4, 3))
