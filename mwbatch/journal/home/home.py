"""The home that is a folder: all batches, their keys, and the inbox of callbacks whose batch is not here yet.

::

    keys.json, home.lock
    {name}/batch.json, lock, digests.bin, rows/, journal/, results/, rejects/
    inbox/{batch id}/results/, rejects/
    .begun/{batch id}.jsonl
    .written.jsonl
"""

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mwbatch.core.words.hint import typed
from mwbatch.errors import BatchBusy, NameTaken, StoreError
from mwbatch.journal.files.disk import DISK, Disk
from mwbatch.journal.files.replacing import Staged
from mwbatch.journal.home.batch_folder import BatchFolder, place_of
from mwbatch.journal.home.batch_lock import BatchLock, holder
from mwbatch.journal.home.begun import FOLDER as BEGUN
from mwbatch.journal.home.begun import Begun
from mwbatch.journal.home.folder_record import NAME as RECORD
from mwbatch.journal.home.folder_record import FolderRecord
from mwbatch.journal.home.home_lock import HomeLock
from mwbatch.journal.home.written_files import WrittenFiles
from mwbatch.journal.interface.batch_info import BatchInfo
from mwbatch.journal.interface.commit_times import Commits
from mwbatch.journal.interface.finding import meant
from mwbatch.journal.interface.naming import INBOX, KEYS, check_new, is_name
from mwbatch.journal.interface.open_batch import OpenBatch, acting
from mwbatch.journal.interface.ref import Ref, UnusableBatch, usable
from mwbatch.journal.interface.store import Departed
from mwbatch.journal.segments.journal import Segments

if TYPE_CHECKING:
    from mwbatch.journal.home.mailroom import FolderMailroom
    from mwbatch.journal.keys.key_file import KeyFile


class Files:
    """One home folder: a `Store`. Looking into it creates nothing."""

    def __init__(self, path: Path, key_file: Path | None = None, disk: Disk = DISK) -> None:
        self.path, self._key_file, self._disk = path, key_file or path / KEYS, disk
        self.written = WrittenFiles(path)

    @property
    def where(self) -> str:
        """Its path."""
        return str(self.path)

    @property
    def keys(self) -> "KeyFile":
        """Those in its file, or in the one that several hosts share."""
        from mwbatch.journal.keys.key_file import KeyFile  # noqa: PLC0415 (a look at a batch needs none)

        return KeyFile(self._key_file, self._disk)

    def batches(self) -> Iterator[Ref | UnusableBatch]:
        """Each batch folder; facts without a batch info are a batch, too, which cannot be used."""
        return (one for folder in self._folders() if (one := _looked(folder)))

    def _folders(self) -> list[Path]:
        try:
            return sorted(self.path.iterdir())
        except FileNotFoundError:
            return []
        except OSError as error:
            # MUST NOT look empty: the rows of a batch that is not seen would be paid again.
            raise StoreError(f"cannot read {self.path}: {error.strerror}") from error

    def find(self, batch: str) -> Ref:
        """The folder of a batch, by its name, its manifest, or the name that somebody gave the folder."""
        return meant(batch, self.batches(), self.where)

    def check_new(self, name: str) -> None:
        """See that a new folder may have this name."""
        check_new(name, (folder.name for folder in self._folders()))

    def create(self, info: BatchInfo) -> Ref:
        """Make its folder; one without a batch info, as a crash leaves it, is used."""
        self.check_new(info.name)
        folder = self.path / info.name
        if any(folder.glob("*/*.jsonl")) and not _holds_batch(folder):
            raise StoreError(
                f"{folder} has facts of a batch, and its {RECORD} is gone: put it back from a copy of the "
                f"folder; a new batch would know nothing of what was sent"
            )
        try:
            self._disk.make_folder(folder)
            FolderRecord(info, place_of(folder)).write(folder, self._disk, Staged.put)
        except FileExistsError:
            raise NameTaken(
                f"{folder} is the folder of batch {FolderRecord.read(folder).info.name}: name that one with "
                "--batch, or another one"
            ) from None
        except OSError as error:
            raise StoreError(f"cannot make {folder}: {error.strerror}") from error
        return Ref(str(folder), folder.name, info)

    def open(self, ref: Ref, writer: str = "view") -> OpenBatch:
        """Open its folder as it is now."""
        folder = Path(ref.where)
        return self._opened(folder, FolderRecord.read(folder), writer)

    def _opened(self, folder: Path, record: FolderRecord, writer: str) -> OpenBatch:
        journal, info = Segments(folder, writer, self._disk), record.info
        begun = Begun(self.path / BEGUN / f"{info.batch_id}.jsonl", self._disk)
        own = BatchFolder(journal, record, self.path / INBOX / info.batch_id, begun, self._disk)
        return OpenBatch(self, Ref(str(folder), folder.name, info), own, journal)

    @asynccontextmanager
    async def act(self, ref: Ref, verb: str) -> AsyncIterator[OpenBatch]:
        """Take the lock of its folder, and open that as it is under the lock."""
        from mwbatch.journal.files.closing import in_thread  # noqa: PLC0415 (asyncio: who looks does without)

        async with (
            BatchLock(Path(ref.where), verb) as lock,
            acting(await in_thread(self._locked, ref, verb), lock) as opened,
        ):
            yield opened

    def _locked(self, ref: Ref, verb: str) -> OpenBatch:
        """Open a folder as it is under its lock."""
        folder = Path(ref.where)
        self._refuse_copies(folder, ref.info)
        record = FolderRecord.read(folder)
        if record.info.batch_id != ref.info.batch_id:
            raise BatchBusy(f"{folder} was replaced by another batch this moment; run the same command again")
        return self._opened(folder, record, verb)

    def _refuse_copies(self, folder: Path, info: BatchInfo) -> None:
        """Raise `StoreError` where the home has a batch twice: either sends what the other does not know."""
        for other in usable(self.batches()):
            if Path(other.where) != folder and other.info.batch_id == info.batch_id:
                copy = other.where if place_of(folder) == FolderRecord.read(folder).place else folder
                raise StoreError(
                    f"{folder} and {other.where} are the same batch, and what one sends the other would send "
                    f"again: move the copy, {copy}, out of {self.path}, then run the same command again"
                )

    def holder(self, ref: Ref) -> str | None:
        """Who has the lock of its folder."""
        return holder(Path(ref.where))

    def planning(self) -> HomeLock:
        """The lock of the home."""
        return HomeLock(self.path)

    def mailroom(self, writer: str, commits: Commits) -> "FolderMailroom":
        """Its folders, and the one of inboxes."""
        from mwbatch.journal.home.mailroom import FolderMailroom  # noqa: PLC0415 (asyncio, as in `Segments`)

        return FolderMailroom(self.path, self._is_ours, writer, commits, self._disk)

    def _is_ours(self) -> bool:
        return (self.path / KEYS).exists() or any(True for _ in usable(self.batches()))

    def departed(self, there: Iterable[Ref | UnusableBatch]) -> Departed | None:
        """By what is kept outside of their folders.

        None where a batch info cannot be looked into: it may be the one that is missing.
        """
        known = {one.info.batch_id if isinstance(one, Ref) else "" for one in there}
        if "" in known:
            return None
        kept = sorted(file for file in (self.path / BEGUN).glob("[a-z0-9]*.jsonl") if file.stem not in known)
        return Departed(tuple(file.stem for file in kept), typed("rm", *kept)) if kept else None


Home = Files
"""As users of the library call it."""


def _looked(folder: Path) -> Ref | UnusableBatch | None:
    try:
        if _holds_batch(folder):
            return Ref(str(folder), folder.name, FolderRecord.read(folder).info)
    except StoreError as error:
        return UnusableBatch(str(folder), folder.name, error)
    if any(folder.glob("rows/*.jsonl")):
        return UnusableBatch(str(folder), folder.name, StoreError(f"{folder / RECORD} is gone"))
    return None


def _holds_batch(folder: Path) -> bool:
    """Whether a name in the home is that of a batch; raises `StoreError` where nobody can tell."""
    try:
        (folder / RECORD).stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        if not is_name(folder.name):  # the lost+found of a file system, and the like
            return False
        raise StoreError(f"cannot read {folder}: {error.strerror}") from error
    return True
