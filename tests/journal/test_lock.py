"""One process at a time acts on a batch."""

import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mwbatch.errors import BatchBusy, StoreError
from mwbatch.journal.lock import LOCK, WHO, BatchLock, holder

HOLD = """
import sys
from pathlib import Path
from mwbatch.journal.lock import BatchLock
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


def test_a_second_process_is_told_who_has_it(tmp_path: Path) -> None:
    """Whoever comes second gets BatchBusy with verb, host and pid; once the first is done the lock is free."""
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


def test_a_lock_that_cannot_be_signed_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where its holder cannot be written down the lock is given back."""

    def full(path: Path, words: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        with pytest.raises(StoreError, match="cannot write"):
            BatchLock(tmp_path, "submit").__enter__()
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
    with pytest.raises(StoreError, match="cannot lock"):
        BatchLock(tmp_path, "submit").__enter__()
