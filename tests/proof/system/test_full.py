"""The real receiver on a file system that is really full."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

from tests.proof.system.mounts import tmpfs
from tests.proof.system.receiver import Receiving

pytestmark = pytest.mark.system

ROWS: Final = 40
LARGE: Final = 8192
"""Spaces behind a body: some forty of them are more than what is left."""


def fill(path: Path) -> None:
    """Write until there is no space, but for a few pages."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            file.truncate(os.fstat(file.fileno()).st_size - 4 * LARGE)


def test_a_full_disk(tmp_path: Path) -> None:
    """Without space it is 503 and 300 seconds; once there is space it goes on without a restart,
    and nothing was lost.
    """
    with tmpfs(tmp_path / "small", "1m") as folder:
        receiving = Receiving(folder)
        with receiving.running() as process:
            fill(folder / "filler")
            receiving.post(range(ROWS), spaces=LARGE)
            assert {*receiving.statuses} == {200, 503}
            assert receiving.retry_after == {"300"}
            assert not receiving.lost
            assert sum(receiving.stored().values()) == len(receiving.acknowledged)
            (folder / "filler").unlink()
            assert process.poll() is None
            assert {*receiving.post(range(ROWS), spaces=LARGE)} == {200}
            assert process.poll() is None
        assert receiving.stored() == dict.fromkeys(range(ROWS), 1)


def test_no_space_for_a_segment(tmp_path: Path) -> None:
    """Without space even for an empty segment it is the same."""
    with tmpfs(tmp_path / "small", "1m,nr_inodes=40") as folder:
        receiving = Receiving(folder)
        with receiving.running():
            names = [folder / f"filler-{number}" for number in range(40)]
            with suppress(OSError):
                for name in names:
                    name.touch()
            assert {*receiving.post(range(3))} == {503}
            for name in names:
                name.unlink(missing_ok=True)
            assert {*receiving.post(range(3))} == {200}
        assert receiving.stored() == dict.fromkeys(range(3), 1)
