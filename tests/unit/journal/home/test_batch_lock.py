"""One process at a time acts on a batch."""

import asyncio
import errno
import fcntl
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock, Timeout

from mwbatch.errors import BatchBusy, StoreError
from mwbatch.journal.files.disk import put_words
from mwbatch.journal.home.batch_lock import LOCK, PATIENCE, WHO, BatchLock, holder
from tests.support.disks import descriptors

HOLD = """
import sys
from pathlib import Path
from mwbatch.journal.home.batch_lock import BatchLock
with BatchLock(Path(sys.argv[1]), "submit"):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that holds the lock of a folder until its input ends."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=pipe, stdout=pipe, text=True
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == "held\n"
        yield other


def free(folder: Path) -> bool:
    """Whether the lock can be taken now."""
    with BatchLock(folder, "test"):
        return holder(folder) is not None


def test_a_look_at_the_lock_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes while a view looks at the lock tries again, and has it once the look has ended."""
    assert free(tmp_path)
    looking, rest = os.open(tmp_path / LOCK, os.O_RDONLY), time.sleep
    fcntl.flock(looking, fcntl.LOCK_SH)

    def end(seconds: float) -> None:
        monkeypatch.setattr(time, "sleep", rest)
        os.close(looking)
        rest(seconds)

    monkeypatch.setattr(time, "sleep", end)
    assert free(tmp_path)
    assert time.sleep is rest


def test_a_second_process_is_told_who_has_it(tmp_path: Path) -> None:
    """Whoever comes second gets BatchBusy with verb, host and pid;
    once the first is done the lock is free.
    """
    with held(tmp_path) as other:
        named = f"mwbatch submit, process {other.pid} on host {os.uname().nodename}"
        with pytest.raises(BatchBusy, match=named):
            BatchLock(tmp_path, "test").__enter__()
        assert holder(tmp_path) == named
    assert holder(tmp_path) is None
    assert free(tmp_path)


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    """After kill -9 the lock is free at once, and what its holder wrote is not believed."""
    with held(tmp_path) as other:
        other.send_signal(signal.SIGKILL)
        other.wait()
        assert (tmp_path / WHO).exists()
        assert holder(tmp_path) is None
        assert free(tmp_path)


def test_one_process_takes_it_once(tmp_path: Path) -> None:
    """The lock excludes a second holder in the same process too, and can be taken again after release."""
    with BatchLock(tmp_path, "submit"), pytest.raises(BatchBusy):
        BatchLock(tmp_path, "retry").__enter__()
    assert free(tmp_path)


def test_looking_does_not_disturb(tmp_path: Path) -> None:
    """However often views ask who holds it, the lock is taken at the first try."""
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            holder(tmp_path)

    viewers = [threading.Thread(target=look) for _ in range(2)]
    for viewer in viewers:
        viewer.start()
    try:
        assert all(free(tmp_path) for _ in range(20))
    finally:
        done.set()
        for viewer in viewers:
            viewer.join()


def test_nobody_holds_what_was_never_locked(tmp_path: Path) -> None:
    """A folder without a lock is held by nobody, and looking makes none."""
    assert holder(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [None, b"", b"{", b"[]"])
def test_a_holder_without_words_is_still_one(tmp_path: Path, words: bytes | None) -> None:
    """While the lock is held somebody holds it, whatever stands in the file that says who."""
    with BatchLock(tmp_path, "submit"):
        (tmp_path / WHO).unlink()
        if words is not None:
            (tmp_path / WHO).write_bytes(words)
        assert holder(tmp_path) == "another process"


def test_a_lock_that_cannot_be_signed_is_not_kept(tmp_path: Path) -> None:
    """Where its holder cannot be written down the lock is given back."""
    (tmp_path / WHO).mkdir()
    with pytest.raises(StoreError, match="cannot write"):
        BatchLock(tmp_path, "submit").__enter__()
    (tmp_path / WHO).rmdir()
    assert free(tmp_path)


def test_an_error_within_releases_it(tmp_path: Path) -> None:
    """However the work under the lock ends, the lock is released."""
    with pytest.raises(ZeroDivisionError), BatchLock(tmp_path, "submit"):
        raise ZeroDivisionError
    assert holder(tmp_path) is None
    assert free(tmp_path)


def test_a_lock_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    """Where no lock file can be made, it is the machine that failed."""
    (tmp_path / LOCK).mkdir()
    with pytest.raises(
        StoreError, match=r"cannot lock .*Is a directory; see who may write there, and that lock in it is"
    ):
        BatchLock(tmp_path, "submit").__enter__()


def test_a_busy_lock_is_told_at_once(tmp_path: Path) -> None:
    """Who finds a holder does not wait for it: meanwhile an event loop would stand still."""
    with held(tmp_path):
        began = time.monotonic()
        with pytest.raises(BatchBusy):
            BatchLock(tmp_path, "test").__enter__()
        assert time.monotonic() - began < PATIENCE / 2


async def test_who_is_cancelled_while_taking_it_has_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock is taken in a thread; who is cancelled meanwhile holds nothing once it is left."""
    begun, go_on = threading.Event(), threading.Event()

    def slow(*words: Any) -> None:
        begun.set()
        assert go_on.wait(60)
        put_words(*words)

    monkeypatch.setattr("mwbatch.journal.home.batch_lock.put_words", slow)
    taking = asyncio.create_task(BatchLock(tmp_path, "submit").__aenter__())
    assert await asyncio.to_thread(begun.wait, 60)
    taking.cancel()
    await asyncio.sleep(0)
    assert holder(tmp_path) == "another process", "it is on its way"
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await taking
    assert free(tmp_path)
    assert not (tmp_path / WHO).exists()


def test_the_file_stays_as_it_is(tmp_path: Path) -> None:
    """The file's inode outlives its release, or two could hold a lock of one name;
    only its owner reads it.
    """
    with BatchLock(tmp_path, "submit"):
        first = (tmp_path / LOCK).stat()
    assert not (tmp_path / WHO).exists()
    assert free(tmp_path)
    assert ((tmp_path / LOCK).stat().st_ino, stat.S_IMODE(first.st_mode)) == (first.st_ino, 0o600)


@pytest.mark.parametrize("ours", [True, False])
def test_older_versions_and_this_one_exclude_each_other(tmp_path: Path, ours: bool) -> None:
    """Older versions hold the file alone, with filelock: they and this one turn each other away."""
    older = FileLock(tmp_path / LOCK, timeout=0, fallback_to_soft=False, preserve_lock_file=True)
    if ours:
        with BatchLock(tmp_path, "submit"), pytest.raises(Timeout):
            older.acquire()
    else:
        with older, pytest.raises(BatchBusy):
            BatchLock(tmp_path, "submit").__enter__()
    assert free(tmp_path)


def test_a_removed_file_frees_nobody(tmp_path: Path) -> None:
    """With the file removed the folder is held still: nobody else gets in, and views see who is there."""
    with held(tmp_path) as other:
        (tmp_path / LOCK).unlink()
        with pytest.raises(BatchBusy, match=f"process {other.pid}"):
            BatchLock(tmp_path, "test").__enter__()
        assert holder(tmp_path) == f"mwbatch submit, process {other.pid} on host {os.uname().nodename}"
    assert free(tmp_path)


def no_flock(monkeypatch: pytest.MonkeyPatch, code: int, refuses: Callable[[int], bool]) -> None:
    """A file system that answers ``code`` to a lock of some kinds of file."""
    real = fcntl.flock

    def flock(file: int, how: int) -> None:
        if refuses(os.fstat(file).st_mode):
            raise OSError(code, os.strerror(code))
        real(file, how)

    monkeypatch.setattr(fcntl, "flock", flock)


@pytest.mark.parametrize("code", [errno.EBADF, errno.ENOTSUP, errno.EINVAL, errno.ENOLCK])
def test_a_folder_that_cannot_be_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """On NFS and the like the file alone excludes others, and that it is alone can be asked."""
    with BatchLock(tmp_path, "submit") as lock:
        assert not lock.weakness
    no_flock(monkeypatch, code, stat.S_ISDIR)
    with BatchLock(tmp_path, "submit") as lock:
        assert "serves alone" in lock.weakness
        lock.check()
        assert holder(tmp_path) is not None
        with pytest.raises(BatchBusy):
            BatchLock(tmp_path, "retry").__enter__()
    assert holder(tmp_path) is None


@pytest.mark.parametrize(
    ("code", "refuses"),
    [(errno.ENOTSUP, stat.S_ISREG), (errno.ENOLCK, lambda _: True), (errno.EIO, stat.S_ISDIR)],
)
def test_where_no_lock_can_be_had_nothing_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, refuses: Callable[[int], bool]
) -> None:
    """Where the file cannot be locked, or a folder is answered with an error of the disk, nobody acts."""
    no_flock(monkeypatch, code, refuses)
    before = descriptors()
    with pytest.raises(StoreError, match="cannot lock"):
        BatchLock(tmp_path, "submit").__enter__()
    assert (descriptors(), (tmp_path / WHO).exists()) == (before, False)


def remove(folder: Path) -> None:
    """The file is removed."""
    (folder / LOCK).unlink()


def replace(folder: Path) -> None:
    """Another file stands under its name."""
    (folder / "other").write_bytes(b"")
    (folder / "other").rename(folder / LOCK)


def move(folder: Path) -> None:
    """The folder has another name."""
    folder.rename(folder.with_name("aside"))


def copy(folder: Path) -> None:
    """A copy has taken the folder's place."""
    move(folder)
    shutil.copytree(folder.with_name("aside"), folder)


@pytest.mark.parametrize("befall", [remove, replace, move, copy])
def test_a_lock_that_leads_elsewhere_is_lost(tmp_path: Path, befall: Callable[[Path], None]) -> None:
    """Once the file or the folder is removed, replaced or moved the check says so;
    another one's words stay.
    """
    folder = tmp_path / "logos"
    folder.mkdir()
    with BatchLock(folder, "submit") as lock:
        lock.check()
        befall(folder)
        with pytest.raises(BatchBusy, match=r"another process may act on batch logos.*mwbatch resume logos"):
            lock.check()
        folder.mkdir(exist_ok=True)
        (folder / WHO).write_bytes(b"another one's")
    assert (folder / WHO).read_bytes() == b"another one's"
    assert free(folder)


def test_a_lock_is_never_taken_through_a_link(tmp_path: Path) -> None:
    """A link in the file's place leads to a file of somebody else: it is not opened."""
    (tmp_path / "theirs").write_bytes(b"")
    (tmp_path / LOCK).symlink_to(tmp_path / "theirs")
    with pytest.raises(StoreError, match="cannot lock"):
        BatchLock(tmp_path, "submit").__enter__()


def test_a_home_behind_a_link_is_held_as_well(tmp_path: Path) -> None:
    """A folder that is reached through a link is the folder it leads to."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with BatchLock(tmp_path / "link", "submit") as lock:
        lock.check()
        with pytest.raises(BatchBusy):
            BatchLock(tmp_path / "real", "retry").__enter__()


def test_a_copy_of_hard_links_stays_as_it_was(tmp_path: Path) -> None:
    """What a lock says of its holder is a new file each time:
    a copy that shares the old one's bytes keeps them.
    """
    (tmp_path / WHO).write_text("then")
    (tmp_path / "copy").hardlink_to(tmp_path / WHO)
    with BatchLock(tmp_path, "submit"):
        assert (tmp_path / "copy").read_text() == "then"
