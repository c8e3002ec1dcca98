"""Where the callbacks of a folder home are put down: in the folders of its batches, and in its inbox."""

from collections.abc import Callable
from pathlib import Path
from threading import Lock

from mwbatch.core.api.unusable import Unusable
from mwbatch.errors import StoreError
from mwbatch.journal.files.closing import in_thread
from mwbatch.journal.files.disk import Disk
from mwbatch.journal.home.home_presence import HomePresence, check_writable
from mwbatch.journal.home.inbox import merge
from mwbatch.journal.interface.belongings import Keep
from mwbatch.journal.interface.commit_times import Commits
from mwbatch.journal.interface.naming import INBOX
from mwbatch.journal.interface.ref import Ref
from mwbatch.journal.segments.folders import FOLDERS
from mwbatch.journal.segments.journal import Segments
from mwbatch.journal.segments.scan import segments_in, written_now
from mwbatch.journal.segments.segment import stand
from mwbatch.journal.segments.unusable_folder import UnusableFolder


class FolderMailroom:
    """That of the home at a path; ``is_ours`` tells whether there is anything of ours."""

    def __init__(
        self, path: Path, is_ours: Callable[[], bool], writer: str, commits: Commits, disk: Disk
    ) -> None:
        self._path, self._writer, self._commits, self._disk = path, writer, commits, disk
        self._footing = HomePresence(path, is_ours)

    @property
    def gone(self) -> str:
        """Why nothing can be stored, by the last look."""
        return self._footing.gone

    def look(self) -> None:
        """Look whether the home is there."""
        self._footing.look()

    def mailbox(self, batch: Ref | str) -> "FolderMailbox":
        """The folder of a batch, or that of its inbox."""
        inbox = self._path / INBOX / (batch.info.batch_id if isinstance(batch, Ref) else batch)
        folder = Path(batch.where) if isinstance(batch, Ref) else inbox

        def base() -> Path | None:
            """Below what folders may be made: others, made anew, nobody would find once they are back."""
            if folder == inbox:
                return self._path if self._footing.known else None
            return folder

        journal = Segments(folder, self._writer, self._disk, self._commits, base=base())
        shelf = lambda most: UnusableFolder(folder, self._writer, most, self._disk)  # noqa: E731 (short)
        return FolderMailbox(journal, inbox, shelf, base)

    def inboxes(self) -> list[str]:
        """The names in the folder of inboxes."""
        try:
            return sorted(path.name for path in (self._path / INBOX).iterdir())
        except OSError:
            return []


class FolderMailbox:
    """The folder of a batch, with its inbox; or, where it ``is_inbox``, that alone.

    ``journal`` is the folder's.
    """

    def __init__(
        self,
        journal: Segments,
        inbox: Path,
        rejects: Callable[[int], UnusableFolder],
        base: Callable[[], Path | None],
    ) -> None:
        self.journal, self._inbox, self._rejects, self._base = journal, inbox, rejects, base
        self.where, self.is_inbox = str(journal.folder), journal.folder == inbox
        self._shelf: UnusableFolder | None = None
        self._is_closed, self._writing = False, Lock()

    def check(self) -> None:
        """One look at its folders, but for an inbox, which may not be made yet and has no other to go to."""
        if not self.is_inbox:
            check_writable(self.journal.folder)

    def waiting(self) -> tuple[Path, ...]:
        """The segments of the inbox that nobody writes."""
        there = (path for name in FOLDERS for path in segments_in(self._inbox / name))
        return tuple(path for path in there if not written_now(path))

    async def take_in(self, keep: Keep) -> int:
        """Move what is in the inbox."""
        return await merge(self._inbox, self.journal.folder, self.journal, keep)

    def keep_reject(self, reject: Unusable, most: int) -> bool:
        """Beside the journal."""
        stand(self._base())
        with self._writing:
            if self._is_closed:  # a file that is opened now nobody would close
                raise StoreError(f"{self.where} is closed")
            self._shelf = self._shelf or self._rejects(most)
            self._shelf.most = most
            return self._shelf.append(reject)

    async def close(self) -> None:
        """Close the journal and what is beside it."""
        try:
            await in_thread(self._close_rejects)
        finally:
            await self.journal.close()

    def _close_rejects(self) -> None:
        with self._writing:
            self._is_closed = True
            if self._shelf is not None:
                self._shelf.close()
