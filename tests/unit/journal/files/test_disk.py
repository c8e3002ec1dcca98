"""The disk: what it says is durable was handed to the operating system, files and names."""

import errno
import os
from pathlib import Path

import pytest

from mwbatch.journal.files.disk import DISK, open_lock, put_words
from mwbatch.journal.files.replacing import aside
from tests.conftest import Synced
from tests.support.disks import NOBODY


def test_a_file_is_settled_at_the_disk(tmp_path: Path, synced: Synced) -> None:
    """Before `settle` returns the operating system was told to sync that file."""
    with (tmp_path / "file").open("wb") as file:
        DISK.settle(file.fileno())
    assert [path for path, _ in synced] == [tmp_path / "file"]


def test_names_are_synced_in_their_folder(tmp_path: Path, synced: Synced) -> None:
    """Before `sync_folder` returns the operating system was told to sync that folder,
    with the names that are in it.
    """
    (tmp_path / "name").write_bytes(b"")
    DISK.sync_folder(tmp_path)
    assert synced == [(tmp_path, ["name"])]


def test_a_folder_is_durable_with_all_above_it(tmp_path: Path, synced: Synced) -> None:
    """Each folder that is made is synced in its parent once it is there,
    and the last one that was there before is, too.
    """
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


def made_in(folder: Path) -> dict[str, Path]:
    """One of each kind of file and folder that mwbatch makes in a home, made now."""
    os.close(DISK.create(folder / "segment"))
    DISK.append(folder / "notes", b"noted\n")
    DISK.make_folder(folder / "batch" / "rows")
    with aside(folder / "record") as new:
        new.put()
    os.close(open_lock(folder / "lock"))
    top = os.open(folder, os.O_RDONLY)
    os.close(open_lock("batch lock", top))
    put_words("lock.json", b"{}", top)
    os.close(top)
    return {path.name: path for path in folder.rglob("*")}


def owned(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """Be root in a folder of somebody else: of our own, where we are not really root. His numbers."""
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return folder.stat().st_uid, folder.stat().st_gid


def test_what_root_makes_belongs_to_the_owner_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever root makes in a folder of somebody else's is his,
    so that he is not locked out of his own home.
    """
    owner = owned(tmp_path, monkeypatch)
    given: list[tuple[int, int]] = []
    give = os.fchown

    def told(file: int, uid: int, gid: int) -> None:
        given.append((uid, gid))
        give(file, uid, gid)

    monkeypatch.setattr(os, "fchown", told)
    made = made_in(tmp_path)
    assert len(made) == 8
    assert given == [owner] * 8
    assert {(path.stat().st_uid, path.stat().st_gid) for path in made.values()} == {owner}


def test_what_root_finds_stays_whose_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody gets a file of root's by another name for it in a folder of his own,
    nor one in which something stands.
    """
    (tmp_path / "secret").touch()
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "lock").hardlink_to(tmp_path / "secret")
    (theirs / "notes").write_bytes(b"something")
    (theirs / "notes").chmod(0o600)
    owned(theirs, monkeypatch)
    given: list[object] = []
    monkeypatch.setattr(os, "fchown", lambda *words: given.append(words))
    os.close(open_lock(theirs / "lock"))
    DISK.append(theirs / "notes", b"more")
    assert given == []


def test_where_nothing_may_be_given_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that lets not even root give a file away keeps nobody from writing it."""
    owned(tmp_path, monkeypatch)

    def refused(*_: int) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "fchown", refused)
    assert len(made_in(tmp_path)) == 8
