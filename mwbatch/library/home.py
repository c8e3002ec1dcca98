"""The folder of all batches as a program meets it: every verb that names no batch is a method."""

from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

from mwbatch.core.words.values import GREATEST_COST, POLL, amount
from mwbatch.errors import BadValue
from mwbatch.journal.interface.naming import default_home
from mwbatch.journal.interface.ref import usable
from mwbatch.journal.opening import store
from mwbatch.library.batch import Batch, Submitted
from mwbatch.library.keys import Keys
from mwbatch.library.messages import spoken
from mwbatch.library.runtime import Runtime
from mwbatch.library.settings.environment import rooted
from mwbatch.library.settings.keywords import (
    CheckOptions,
    ListenOptions,
    RunOptions,
    SubmitOptions,
    checked_by,
    door_of,
    looked_back,
    no_more,
    submitted_by,
)

if TYPE_CHECKING:
    from mwbatch.callbacks.common.subscriber import OnStored
    from mwbatch.callbacks.ops.server import Running
    from mwbatch.core.report.command_outcomes import Created, Ran
    from mwbatch.core.report.preview import Rehearsal, Validation
    from mwbatch.library.client import Client
    from mwbatch.library.reports import AuditReport, Standing


class Home:
    """The folder of all batches, their answers and their callback keys (``keys``). Looking creates nothing.

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
        client: "Client | None" = None,
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
            self._runtime = Runtime(store(where, keys), client)
        self.keys = Keys(self._runtime)

    @classmethod
    def _over(cls, runtime: Runtime) -> Self:
        """A home with means of somebody else, as the command line has them."""
        made = cls.__new__(cls)
        made._runtime, made.keys = runtime, Keys(runtime)  # noqa: SLF001 (our own)
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
        await self._runtime.close()

    def stop(self) -> None:
        """Let everything that is at work here start nothing more, and finish what is in flight: the first
        Ctrl-C of the command line. To end at once, cancel the task; either is safe.
        """
        self._runtime.stopping.set()

    @property
    def where(self) -> str:
        """Where it is, as people are told."""
        return self._runtime.store.where

    def batch(self, name: str) -> Batch:
        """The batch of a name, or of the path of a manifest. Raises `UsageError` where there is none."""
        with self._runtime.at_work():
            return Batch(self._runtime, self._runtime.store.find(name).info.name)

    def batches(self) -> list[Batch]:
        """Every batch that can be read, by name."""
        with self._runtime.at_work():
            return [Batch(self._runtime, ref.info.name) for ref in usable(self._runtime.store.batches())]

    async def submit(
        self, manifest: str | Path, *, batch: str | None = None, **options: Unpack[SubmitOptions]
    ) -> "Submitted[Created]":
        """Create a task for every row of a manifest that has none.

        Call it again after any interruption, or with rows added: only what is missing is sent.

        Raises:
            ManifestError, UsageError, OtherApi, AskedBefore: nothing was sent.
            BatchBusy: another process, or another task of this one, acts on the batch.
            ApiError: the API refuses us or cannot be reached; nothing was sent.
            StoreError: the disk failed; what is in doubt is found out later.
        """
        from mwbatch.commands.manifest.planning import readable
        from mwbatch.commands.verbs.submit import submit

        with self._runtime.at_work() as context:
            source, send_options = submitted_by(manifest, batch, options)
            async with readable(source, context) as there:
                created = await submit(self._runtime.store, self._runtime.api(), there, send_options, context)
        return Submitted(self._runtime, created.report.batch, created)

    async def rehearse(
        self, manifest: str | Path, *, batch: str | None = None, **options: Unpack[SubmitOptions]
    ) -> "Rehearsal":
        """What `submit` would do, as ``--dry-run`` says it: nothing is sent or written. Raises as it does."""
        from mwbatch.commands.manifest.planning import readable
        from mwbatch.commands.verbs.rehearse import rehearse

        runtime = self._runtime
        with runtime.at_work() as context:
            source, send_options = submitted_by(manifest, batch, options)
            async with readable(source, context) as there:
                client = runtime.api_where(needed=send_options.repeats.since is not None)
                return await rehearse(
                    self._runtime.store, runtime.origin, there, send_options, context, runtime.lacks(), client
                )

    async def run(
        self,
        manifest: str | Path,
        *,
        batch: str | None = None,
        poll: float = POLL,
        **options: Unpack[RunOptions],
    ) -> "Submitted[Ran]":
        """Submit a manifest and receive its answers; every ``poll`` seconds it looks for those whose callback
        does not come. It ends when nothing is pending; raises as `submit`.
        """
        from mwbatch.commands.manifest.planning import readable
        from mwbatch.commands.verbs.run import run

        with self._runtime.at_work() as context:
            left: dict[str, Any] = {**options}
            door = door_of(left)
            source, send_options = submitted_by(manifest, batch, left)
            async with readable(source, context) as there:
                ran = await run(
                    self._runtime.store, self._runtime.api(), there, send_options, door, context, poll
                )
        return Submitted(self._runtime, ran.report.batch, ran)

    async def serve_callbacks(
        self, *, on_stored: "OnStored | None" = None, **options: Unpack[ListenOptions]
    ) -> "Running":
        """Receive the callbacks of every batch of the home: ``async with await home.serve_callbacks():``.

        ``on_stored`` is called with batch id and fact once a new fact is durable.

        Raises:
            UsageError: a port is taken, a host is not ours, or keys or certificate are unusable.
            StoreError: a batch of the home cannot be read.
        """
        from mwbatch.callbacks.ops.server import serve

        with self._runtime.at_work():
            left: dict[str, Any] = {**options}
            door = asdict(door_of(left))
            no_more(left)
            return await serve(self._runtime.store, **door, on_stored=on_stored)

    async def status(self, *, price: float | None = None) -> "Standing":
        """Where every batch stands: no request is made, no lock taken; at a ``price`` a task."""
        from mwbatch.journal.files.closing import in_thread
        from mwbatch.library.reports import standing

        with self._runtime.at_work():
            amount("price", price, 0, GREATEST_COST, none=True)
            return await in_thread(standing, self._runtime.store, price)

    async def audit(
        self, *, price: float | None = None, against_api: bool = False, since: str | None = None
    ) -> "AuditReport":
        """Find what was asked for twice, and what that cost; with ``against_api`` in the account, too.

        Raises `ApiError` where the API refuses us or cannot be reached.
        """
        from mwbatch.commands.verbs.audit import audit
        from mwbatch.library.reports import audit_report

        with self._runtime.at_work() as context:
            amount("price", price, 0, GREATEST_COST, none=True)
            back = looked_back(against_api, since)
            client = self._runtime.api_where(needed=against_api)
            return audit_report(await audit(self._runtime.store, context, client, back), price)

    async def validate(
        self,
        manifest: str | Path,
        *,
        batch: str | None = None,
        price: float | None = None,
        check_images: bool = False,
        **options: Unpack[CheckOptions],
    ) -> "Validation":
        """Check every row of a manifest, and list every mistake; nothing is sent.

        Raises:
            UsageError: there is no such file, or it is no manifest at all.
        """
        from mwbatch.commands.verbs.validate import can_be_compared, compared, validate

        runtime, path = self._runtime, str(manifest)
        with runtime.at_work() as context:
            amount("price", price, 0, GREATEST_COST, none=True)
            source, said = checked_by(path, batch, options)
            found = await validate(
                path,
                allow_duplicates=source.allow_duplicates,
                volatile=source.volatile,
                leave=source.leave,
                price=price,
                check_images=check_images,
                context=context,
            )
            if not can_be_compared(path, found):
                return found
            client = partial(runtime.api_where, needed=said.since is not None)
            return await compared(found, self._runtime.store, runtime.origin, source, said, context, client)


def _path(name: str, given: str | Path | None, variable: str, unset: str) -> Path | None:
    """A path of an argument, else of the environment."""
    if given is None:
        return rooted(variable, unset)
    if not str(given).strip():
        raise BadValue(name, given, "an empty path says nothing: leave it out, or name a folder")
    return Path(given)
