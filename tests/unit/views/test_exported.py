"""What people are told of an export."""

import pytest

from mwbatch.core.report.exported import Exported
from mwbatch.views.exported import written


@pytest.mark.parametrize(
    ("format_", "path", "said"),
    [
        ("yolo", "out", "download each image_url of out/images.csv into out/images/"),
        ("coco", "out", "download each image_url of out/images.csv into out/images/"),
        ("voc", "out", "download each image_url of out/images.csv into out/images/"),
        ("coco", "out.json", "download each coco_url"),
        ("label-studio", "out", ""),
        ("csv", "out.csv", ""),
        ("parquet", "out.parquet", ""),
    ],
)
def test_the_pictures_are_still_to_be_fetched(format_: str, path: str, said: str) -> None:
    """Where a trainer looks for files it is said that they are not there yet,
    and where they come from and belong.
    """
    text = written(Exported("logos", format_, path, rows=1, completed=1, images=1)).words
    assert ("the pictures are not in it" in text, said in text) == (bool(said), True)
    assert "pictures" not in written(Exported("logos", format_, path, rows=1)).words
