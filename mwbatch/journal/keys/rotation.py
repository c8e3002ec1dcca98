"""Changes to the callback keys of a home: a new newest key, and the end of an old one.

Changes take turns under a lock beside the key file, so of two that race neither is lost; readers take no
lock, since the file is replaced as a whole.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from mwbatch.core.codec.ids import Kid
from mwbatch.errors import BatchBusy, StoreError
from mwbatch.journal.files.disk import DISK, Disk, open_lock
from mwbatch.journal.files.replacing import aside
from mwbatch.journal.keys.keyring import Keys
from mwbatch.journal.keys.keys_json import load, load_or_make, new_key, written, written_time

PATIENCE: Final = 10.0
"""Seconds to wait for another change, which takes milliseconds."""

_MOMENT: Final = 0.01


def rotate(path: Path, at: float, disk: Disk = DISK) -> Keys:
    """Add a key that signs new addresses from now on, while the others go on verifying; returns all of them.

    ``at`` is the time in seconds since the epoch. Where there is no key file, the first key is made.

    Raises:
        UsageError: the key file is unusable.
        BatchBusy: another process does not come to an end with it.
        StoreError: it cannot be changed; the keys are the old ones.
    """
    with _changing(path, disk) as target:
        keys = load(target)
        if keys is None:
            return load_or_make(target, disk, lambda: at)
        return _replaced(target, keys.and_new(new_key(at, keys.kids)), disk)


def retire(path: Path, kid: Kid, at: float, disk: Disk = DISK) -> Keys:
    """Forget the secret of an old key and keep its name; a key that is retired already stays so.

    Raises:
        UsageError: it is the newest key, or there is none of this name.
        StoreError: the key file cannot be changed; the keys are the old ones.
    """
    with _changing(path, disk) as target:
        keys = load(target) or Keys(())
        if keys.is_retired(kid):
            return keys
        return _replaced(target, keys.without(kid, written_time(at), str(path)), disk)


@contextmanager
def _changing(path: Path, disk: Disk) -> Iterator[Path]:
    """The one who may change a key file now; gives the file itself where ``path`` is a link to it."""
    try:
        target = path.resolve()
        disk.make_folder(target.parent)
        file = open_lock(target.with_name(f".{target.name}.lock"))
        try:
            if not _locked(file):
                raise BatchBusy(
                    f"the callback keys in {path} are being changed by another process; try again"
                )
            yield target
        finally:
            os.close(file)
    except OSError as error:
        raise StoreError(f"cannot change the callback keys in {path}: {error.strerror}") from error


def _locked(file: int) -> bool:
    """Wait for the lock of an open file, which goes when that is closed; False where it was not to be had."""
    end = time.monotonic() + PATIENCE
    while True:
        with suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        if time.monotonic() > end:
            return False
        time.sleep(_MOMENT)


def _replaced(path: Path, keys: Keys, disk: Disk) -> Keys:
    """Put changed keys in the place of the old ones, whole and durable, with the same owner."""
    owner = path.stat()
    with aside(path, disk) as new:
        new.write(written(keys))
        new.give_to(owner.st_uid, owner.st_gid)
        new.replace()
    return keys
