"""The disk: what it says is durable was handed to the operating system, files and names."""

from pathlib import Path

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
