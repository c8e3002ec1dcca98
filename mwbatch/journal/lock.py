"""One process at a time acts on a batch: the lock, and who holds it."""

import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from mwbatch.core.text import BadJson, decode_object, encode
from mwbatch.errors import BatchBusy, StoreError
from mwbatch.journal.disk import is_live

LOCK: Final = "lock"
WHO: Final = "lock.json"


class BatchLock:
    """The lock of one batch folder; a context manager.

    The kernel releases it when its holder dies, however it dies. ``lock.json`` beside it says who holds it, for the
    message only: nobody is ever believed to hold the lock because of what stands there.
    """

    def __init__(self, folder: Path, verb: str) -> None:
        from filelock import FileLock  # noqa: PLC0415 (who only looks needs none)

        self._folder, self._verb = folder, verb
        # A view's `holder` holds the lock for microseconds: a second's patience keeps it from looking like a rival.
        self._lock = FileLock(
            folder / LOCK,
            timeout=1,
            mode=0o600,
            fallback_to_soft=False,
            preserve_lock_file=True,
            thread_local=False,
        )
        self._who = folder / WHO

    def __enter__(self) -> Self:
        """Take the lock at once.

        Raises:
            BatchBusy: another process has it; the message names verb, host and pid.
            StoreError: the folder cannot be written.
        """
        from socket import gethostname  # noqa: PLC0415 (as above)

        from filelock import Timeout  # noqa: PLC0415

        try:
            self._lock.acquire()
        except Timeout:
            raise BatchBusy(
                f"batch {self._folder.name} is in use by {holder(self._folder) or 'another process'}; "
                f"wait for it, or look: mwbatch status {self._folder.name}"
            ) from None
        except OSError as error:
            raise StoreError(f"cannot lock {self._folder}: {error.strerror}") from error
        try:
            self._who.write_bytes(encode({"verb": self._verb, "host": gethostname(), "pid": os.getpid()}))
        except OSError as error:
            self._lock.release()
            raise StoreError(f"cannot write {self._who}: {error.strerror}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # nobody believes what stands there
            self._who.unlink(missing_ok=True)
        self._lock.release()


def holder(folder: Path) -> str | None:
    """Who says that it acts on the batch now, such as ``submit, process 812 on host ada``; None when nobody does."""
    try:
        with (folder / LOCK).open("rb") as file:
            if not is_live(file.fileno()):
                return None
    except FileNotFoundError:
        return None
    try:
        who = decode_object((folder / WHO).read_bytes())
    except (OSError, BadJson):  # it took the lock this moment
        return "another process"
    return f"mwbatch {who.get('verb')}, process {who.get('pid')} on host {who.get('host')}"
