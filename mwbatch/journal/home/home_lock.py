"""The lock of a home: one process at a time compares its rows with those of all batches, and plans them."""

import fcntl
import os
from contextlib import ExitStack
from pathlib import Path

from mwbatch.errors import StoreError
from mwbatch.journal.files.disk import DISK, UNLOCKABLE, Disk, leads, open_lock
from mwbatch.journal.interface.naming import LOCK


class HomeLock:
    """Held from before rows are compared until they are durable, so that who comes next finds them.

    Released at death.

    Two are held: that of the file, and that of the home itself, which is held still where somebody has
    removed the file. ``blind``: the file system locks nothing, and two at once may not see each other.
    """

    def __init__(self, home: Path, disk: Disk = DISK) -> None:
        self._home, self._disk = home, disk
        self._held: ExitStack | None = None
        self.blind = False

    def take(self) -> bool:
        """Take it if nobody else has it; says whether it is held now.

        Raises:
            StoreError: the home cannot be made, or written.
        """
        if self._held is not None:
            return True
        try:
            self._disk.make_folder(self._home)
            with ExitStack() as opened:
                file = open_lock(self._home / LOCK)
                opened.callback(os.close, file)
                folder = os.open(self._home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                opened.callback(os.close, folder)
                if self._locked(file, folder):
                    self._held = opened.pop_all()
        except OSError as error:
            raise StoreError(
                f"cannot lock {self._home}: {error.strerror}; see who may write there, and that {LOCK} "
                "in it is a file of mwbatch's own"
            ) from error
        return self._held is not None

    def _locked(self, *files: int) -> bool:
        try:
            there = [_lock(file) for file in files]
        except BlockingIOError:
            return False
        self.blind = not any(there)
        # MUST be the file that others find: somebody may have removed the one that was opened.
        return leads(self._home / LOCK, files[0])

    def release(self) -> None:
        """Let others have it; nothing happens where it is not held."""
        held, self._held = self._held, None
        if held is not None:
            held.close()


def _lock(file: int) -> bool:
    """Lock an open file or folder; False where its file system cannot.

    Raises `BlockingIOError` where another one has it.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError as error:
        if error.errno not in UNLOCKABLE:
            raise
        return False
    return True
