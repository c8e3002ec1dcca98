"""The cache of image sizes: private, forgiving, and never in the way."""

import stat
from pathlib import Path

import pytest

from mwbatch.core.manifest.image_size import Measured
from mwbatch.errors import StoreError
from mwbatch.journal.home.image_sizes import NAME, ImageSizes


def test_sizes_are_kept(tmp_path: Path) -> None:
    """What was flushed is there for the next export, readable by its owner alone;
    what was measured later wins.
    """
    sizes = ImageSizes(tmp_path)
    sizes.flush()
    assert not (tmp_path / NAME).exists()
    sizes.add(3, Measured(640, 480, 6))
    sizes.add(0, Measured(1, 2))
    assert sizes.get(3) == Measured(640, 480, 6)
    assert ImageSizes(tmp_path).get(3) is None
    sizes.flush()
    sizes.add(0, Measured(3, 4))
    sizes.flush()
    again = ImageSizes(tmp_path)
    assert [again.get(row) for row in range(5)] == [Measured(3, 4), None, None, Measured(640, 480, 6), None]
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "line",
    [b"rubbish", b"[]", b"{}", b'{"row":-1,"width":1,"height":1}', b'{"row":1,"width":0,"height":1}', b"\xff",
     b'{"row":true,"width":1,"height":1}', b'{"row":1,"width":1e3,"height":1}',
     b'{"row":1,"width":99999999999,"height":1,"orientation":1}',
     b'{"row":1,"width":1,"height":1}', b'{"row":1,"width":1,"height":1,"orientation":0}',
     b'{"row":1,"width":1,"height":1,"orientation":9}', b'{"row":1,"width":1,"height":1,"orientation":"6"}'],
)  # fmt: skip
def test_a_spoiled_line(tmp_path: Path, line: bytes) -> None:
    """A line that is none of ours is passed over: its image is measured again. So is one of an older version,
    which did not look how the image is turned.
    """
    (tmp_path / NAME).write_bytes(line + b'\n{"row":2,"width":5,"height":6,"orientation":1}\n{"row":1,"wid')
    sizes = ImageSizes(tmp_path)
    assert [sizes.get(row) for row in range(4)] == [None, None, Measured(5, 6), None]


def test_a_line_that_was_cut_off(tmp_path: Path) -> None:
    """What is written after half a line of a killed process is read all the same, save for that line."""
    (tmp_path / NAME).write_bytes(b'{"row":1,"wid')
    sizes = ImageSizes(tmp_path)
    sizes.add(2, Measured(5, 6))
    sizes.add(3, Measured(7, 8))
    sizes.flush()
    again = ImageSizes(tmp_path)
    assert [again.get(row) for row in (1, 2, 3)] == [None, Measured(5, 6), Measured(7, 8)]


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """A cache that cannot be read or written is an error that names it."""
    sizes = ImageSizes(tmp_path / "gone")
    sizes.add(0, Measured(1, 1))
    with pytest.raises(StoreError, match=NAME):
        sizes.flush()
    (tmp_path / NAME).mkdir()
    with pytest.raises(StoreError, match=NAME):
        ImageSizes(tmp_path)


def test_never_through_a_link(tmp_path: Path) -> None:
    """Where a link stands in the place of the sizes, what it leads to stays as it was."""
    (tmp_path / "mine").write_text("mine")
    (tmp_path / NAME).symlink_to("mine")
    sizes = ImageSizes(tmp_path)
    sizes.add(0, Measured(1, 1))
    with pytest.raises(StoreError, match="cannot write"):
        sizes.flush()
    assert (tmp_path / "mine").read_text() == "mine"
