"""The folder of all batches as a program meets it: every verb that names no batch is a method."""

from pathlib import Path
from types import TracebackType
from typing import Self, Unpack

from mwbatch.commands.manifest.planning import readable
from mwbatch.commands.verbs.submit import submit
from mwbatch.core.report.outcomes import Created
from mwbatch.environment import rooted
from mwbatch.errors import BadValue
from mwbatch.journal.opening import store
from mwbatch.journal.seam.naming import default_home
from mwbatch.journal.seam.ref import usable
from mwbatch.journal.seam.store import Store
from mwbatch.library.batch import Batch, Submitted
from mwbatch.library.client import Client
from mwbatch.library.means import Means
from mwbatch.library.options import SubmitOptions, submitted_by
from mwbatch.library.words import spoken


class Home:
    """The folder of all batches, their answers and their callback keys. Looking into it creates nothing.

    Args:
        path: by default ``MWBATCH_HOME``, else the user's data directory.
        client: by default one that is made of the environment when the API is first asked, and closed with
            the home.
        callback_key_file: where several hosts share the callback keys; by default
            ``MWBATCH_CALLBACK_KEY_FILE``, else ``keys.json`` in the folder.

    Any number of homes may be open at once, and of batches at work in one.
    """

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        client: Client | None = None,
        callback_key_file: str | Path | None = None,
    ) -> None:
        with spoken():
            where = _path("path", path, "MWBATCH_HOME", "for the user's data directory") or default_home()
            keys = _path(
                "callback_key_file",
                callback_key_file,
                "MWBATCH_CALLBACK_KEY_FILE",
                "for keys.json in the data folder",
            )
            self._means = Means(store(where, keys), client)

    @classmethod
    def over(cls, means: Means) -> Self:
        """A home with means of somebody else, as the command line has them."""
        made = cls.__new__(cls)
        made._means = means  # noqa: SLF001 (our own)
        return made

    def __repr__(self) -> str:
        return f"Home({self.where!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections that were made for it; it may be called twice."""
        await self._means.close()

    def stop(self) -> None:
        """Let everything that is at work here start nothing more, and finish what is in flight: the first
        Ctrl-C of the command line. To end at once, cancel the task; either is safe.
        """
        self._means.stopping.set()

    @property
    def where(self) -> str:
        """Where it is, as people are told."""
        return self.store.where

    @property
    def store(self) -> Store:
        """Where its batches lie, for what stands beside it: no part of what is promised to users."""
        return self._means.store

    def batch(self, name: str) -> Batch:
        """The batch of a name, or of the path of a manifest. Raises `UsageError` where there is none."""
        with self._means.at_work():
            return Batch(self._means, self.store.find(name).card.name)

    def batches(self) -> list[Batch]:
        """Every batch that can be read, by name."""
        with self._means.at_work():
            return [Batch(self._means, ref.card.name) for ref in usable(self.store.batches())]

    async def submit(
        self, manifest: str | Path, *, batch: str | None = None, **options: Unpack[SubmitOptions]
    ) -> Submitted[Created]:
        """Create a task for every row of a manifest that has none.

        Call it again after any interruption, or with rows added: only what is missing is sent.

        Raises:
            ManifestError, UsageError, OtherApi, AskedBefore: nothing was sent.
            BatchBusy: another process, or another task of this one, acts on the batch.
            ApiError: the API refuses us or cannot be reached; nothing was sent.
            StoreError: the disk failed; what is in doubt is found out later.
        """
        with self._means.at_work() as desk:
            source, wishes = submitted_by(manifest, batch, options)
            async with readable(source, desk) as there:
                created = await submit(self.store, self._means.api(), there, wishes, desk)
        return Submitted(self._means, created.report.batch, created)


def _path(name: str, given: str | Path | None, variable: str, unset: str) -> Path | None:
    """A path of an argument, else of the environment."""
    if given is None:
        return rooted(variable, unset)
    if not str(given).strip():
        raise BadValue(name, given, "an empty path says nothing: leave it out, or name a folder")
    return Path(given)
