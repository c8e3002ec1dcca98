"""The disk: what it says is durable was handed to the operating system, files and names."""

import fcntl
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from mwbatch.journal.disk import DISK

SETTLE = (fcntl, "fcntl") if sys.platform == "darwin" else (os, "fsync")
"""macOS syncs the disk itself by F_FULLFSYNC alone."""


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, list[str]]]:
    """Each file or folder that the operating system was told to sync, with the names in it at that moment."""
    there: list[tuple[Path, list[str]]] = []

    def watch(module: ModuleType, name: str) -> None:
        real = getattr(module, name)

        def watched(file: int, *words: object) -> object:
            path = Path(f"/dev/fd/{file}").resolve()
            there.append((path, sorted(os.listdir(path)) if path.is_dir() else []))  # noqa: PTH208 (names)
            return real(file, *words)

        monkeypatch.setattr(module, name, watched)

    watch(*SETTLE)
    return there


def test_a_file_is_settled_at_the_disk(tmp_path: Path, synced: list[tuple[Path, list[str]]]) -> None:
    """Before `settle` returns the operating system was told to sync that file."""
    with (tmp_path / "file").open("wb") as file:
        DISK.settle(file.fileno())
    assert [path for path, _ in synced] == [tmp_path / "file"]


def test_names_are_synced_in_their_folder(tmp_path: Path, synced: list[tuple[Path, list[str]]]) -> None:
    """Before `sync_folder` returns the operating system was told to sync that folder, with the names that are in it."""
    (tmp_path / "name").write_bytes(b"")
    DISK.sync_folder(tmp_path)
    assert synced == [(tmp_path, ["name"])]


def test_a_folder_is_durable_with_all_above_it(tmp_path: Path, synced: list[tuple[Path, list[str]]]) -> None:
    """Each folder that is made is synced in its parent once it is there, and the last one that was there before is, too."""
    DISK.make_folder(tmp_path / "one" / "two")
    assert synced[0][0] == tmp_path.parent
    assert synced[1:] == [(tmp_path, ["one"]), (tmp_path / "one", ["two"])]
