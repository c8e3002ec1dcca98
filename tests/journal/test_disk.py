"""The disk: what it says is durable was handed to the operating system, files and names."""

import os
from pathlib import Path

import pytest

from mwbatch.journal.disk import DISK
from tests.conftest import Synced


def test_a_file_is_settled_at_the_disk(tmp_path: Path, synced: Synced) -> None:
    """Before `settle` returns the operating system was told to sync that file."""
    with (tmp_path / "file").open("wb") as file:
        DISK.settle(file.fileno())
    assert [path for path, _ in synced] == [tmp_path / "file"]


def test_names_are_synced_in_their_folder(tmp_path: Path, synced: Synced) -> None:
    """Before `sync_folder` returns the operating system was told to sync that folder, with the names that are in it."""
    (tmp_path / "name").write_bytes(b"")
    DISK.sync_folder(tmp_path)
    assert synced == [(tmp_path, ["name"])]


def test_a_folder_is_durable_with_all_above_it(tmp_path: Path, synced: Synced) -> None:
    """Each folder that is made is synced in its parent once it is there, and the last one that was there before is, too."""
    DISK.make_folder(tmp_path / "one" / "two")
    assert synced[0][0] == tmp_path.parent
    assert synced[1:] == [(tmp_path, ["one"]), (tmp_path / "one", ["two"])]


def test_a_pipe_in_the_place_of_a_folder(tmp_path: Path) -> None:
    """What should be a folder and is none is refused before it is opened: a pipe would be waited for."""
    os.mkfifo(tmp_path / "pipe")
    ends = os.open(tmp_path / "pipe", os.O_RDWR)  # so that even opening it would wait for nobody here
    with pytest.raises(NotADirectoryError):
        DISK.sync_folder(tmp_path / "pipe")
    os.close(ends)
