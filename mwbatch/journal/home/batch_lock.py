"""One process at a time acts on a batch: the lock, and who holds it."""

import fcntl
import os
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from mwbatch.core.codec.json_codec import BadJson, decode_object, encode
from mwbatch.core.words.hint import hint
from mwbatch.errors import BatchBusy, StoreError
from mwbatch.journal.files.disk import (
    UNLOCKABLE,
    astray,
    content_of,
    is_live,
    leads,
    open_lock,
    put_words,
    remove_words,
)
from mwbatch.journal.interface.store import in_use

LOCK: Final = "lock"
WHO: Final = "lock.json"

PATIENCE: Final = 1.0
"""Seconds within which a view must have ended its look at a lock; it takes microseconds."""

_MOMENT: Final = 0.001


class BatchLock:
    """The lock of one batch folder; a context manager.

    Two are held: that of the file ``lock``, where every version looks, and that of the folder itself, which
    is held still where somebody has removed the file. The kernel releases both when their holder dies,
    however it dies. ``lock.json`` beside it says who holds it, for the message only: nobody is ever believed
    to hold the lock because of what stands there. ``weakness`` says so where the folder itself cannot be
    locked.
    """

    def __init__(self, folder: Path, verb: str) -> None:
        self._folder, self._verb = folder, verb
        self._held = ExitStack()
        self._top = self._file = -1
        self.weakness = ""

    def __enter__(self) -> Self:
        """Take the lock at once.

        Raises:
            BatchBusy: another process has it; the message names verb, host and pid.
            StoreError: the folder cannot be locked or written.
        """
        patience = time.monotonic() + PATIENCE
        while not self._taken():
            if time.monotonic() > patience:
                raise self._busy()
            time.sleep(_MOMENT)
        try:
            words = encode({"verb": self._verb, "host": os.uname().nodename, "pid": os.getpid()})
            put_words(WHO, words, self._top)
        except OSError as error:
            self._held.close()
            raise StoreError(f"cannot write {self._folder / WHO}: {error.strerror}") from error
        self._held.callback(self._unsay)
        return self

    async def __aenter__(self) -> Self:
        """The same in a thread. Raises as `__enter__`."""
        from mwbatch.journal.files.closing import in_thread  # noqa: PLC0415 (asyncio: views ask for the holder)

        try:
            return await in_thread(self.__enter__)
        except BaseException:  # who is cancelled may have taken it all the same
            self._held.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.close()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.close()  # here and now: nothing may hinder it

    def _unsay(self) -> None:
        if self.alive:  # else they may be another one's words
            with suppress(OSError):  # nobody believes what stands there
                remove_words(WHO, self._top)

    def check(self) -> None:
        """See that the lock holds what it is named for: two looks at the disk.

        Raises:
            BatchBusy: the folder or the file was removed or replaced, so another process may act on the
            batch.
        """
        if self.alive:
            return
        name = self._folder.name
        what = (
            f"the file {LOCK} in it was removed"
            if leads(self._folder, self._top)
            else f"it was {astray(self._folder, 'moved or replaced')}"
        )
        raise BatchBusy(
            f"{self._folder} was taken from this run ({what}): another process may act on batch {name}, so "
            f"nothing more is begun here; see that the folder is in its place, then: {hint('resume', name)}"
        )

    def _taken(self) -> bool:
        """Take both.

        False where somebody looks at one of them this moment, or has just put another in its place.
        """
        with ExitStack() as opened:
            try:
                self._top = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                opened.callback(os.close, self._top)
                self._file = open_lock(LOCK, self._top)
                opened.callback(os.close, self._file)
                if not (self._locked(self._file) and self._folder_locked() and self.alive):
                    return False
            except OSError as error:
                raise StoreError(
                    f"cannot lock {self._folder}: {error.strerror}; see who may write there, and that "
                    f"{LOCK} in it is a file of mwbatch's own"
                ) from error
            self._held = opened.pop_all()
        return True

    def _folder_locked(self) -> bool:
        self.weakness = ""
        try:
            return self._locked(self._top)
        except OSError as error:
            if error.errno not in UNLOCKABLE:
                raise
            # Only `check` notices now that the file was removed.
            self.weakness = (
                f"{self._folder} cannot be locked as a folder here (a network file system?): "
                f"its file {LOCK} serves alone"
            )
        return True

    def _locked(self, file: int) -> bool:
        """Take one lock; False where only a view stands in the way, which holds it for microseconds."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if is_live(file):
                raise self._busy() from None
            return False
        return True

    def _busy(self) -> BatchBusy:
        return in_use(self._folder.name, holder(self._folder))

    @property
    def alive(self) -> bool:
        """Whether both names lead to what is held.

        The descriptors are open, so no other inode gets their numbers.
        """
        return leads(self._folder, self._top) and leads(LOCK, self._file, self._top)


def holder(folder: Path) -> str | None:
    """Who says that it acts on the batch now, such as ``submit, process 812 on host ada``.

    None when nobody does.
    """
    if not (_is_held(folder / LOCK) or _is_held(folder)):
        return None
    try:
        who = decode_object(content_of(folder / WHO))
    except (OSError, BadJson):  # it took the lock this moment
        return "another process"
    return f"mwbatch {who.get('verb')}, process {who.get('pid')} on host {who.get('host')}"


def _is_held(path: Path) -> bool:
    """Whether somebody holds the lock of a file or folder; not where it is not there, or can have no lock."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return is_live(file)
    except OSError as error:
        if error.errno not in UNLOCKABLE:
            raise
        return False
    finally:
        os.close(file)
