"""The keyring of a folder home: its key file."""

from contextlib import suppress
from pathlib import Path

from mwbatch.core.codec.ids import Kid
from mwbatch.errors import StoreError
from mwbatch.journal.files.disk import DISK, Disk, Mark
from mwbatch.journal.keys.keyring import Keys
from mwbatch.journal.keys.keys_json import load, load_or_make
from mwbatch.journal.keys.rotation import retire, rotate


class KeyFile:
    """The keys in one file; a link to it serves as well."""

    def __init__(self, path: Path, disk: Disk = DISK) -> None:
        self._path, self._disk = path, disk

    @property
    def where(self) -> str:
        """The path of the file."""
        return str(self._path)

    def load(self) -> Keys | None:
        """Read it; None where there is none."""
        return load(self._path)

    def make(self) -> Keys:
        """Read it, made first where there is none; durable, whoever made it."""
        keys = load_or_make(self._path, self._disk)
        try:
            # Another process may have put the file in place this moment, and not have synced the folder yet.
            with suppress(
                PermissionError
            ):  # a folder that is not ours to read: whoever may write there sees to it
                self._disk.sync_folder(self._path.resolve().parent)
        except OSError as error:
            raise StoreError(f"cannot sync {self._path.parent}: {error.strerror}") from error
        return keys

    def rotate(self, at: float) -> Keys:
        """Add a key that signs from now on."""
        return rotate(self._path, at, self._disk)

    def retire(self, kid: Kid, at: float) -> Keys:
        """Forget the secret of an old key."""
        return retire(self._path, kid, at, self._disk)

    def mark(self) -> tuple[Mark, int] | None:
        """One look at the file, and at its inode: whoever copies keys over it may set its times back."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return Mark.told(found), found.st_ctime_ns
