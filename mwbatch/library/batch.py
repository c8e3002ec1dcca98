"""A batch as a program meets it: every verb that names one is a method."""

from collections.abc import AsyncIterator, Collection, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final, Generic, TypeVar, Unpack

from mwbatch.core.state.row_status import Status
from mwbatch.core.words.values import GREATEST_COST, MOST_TASKS, POLL, SETTLE, amount, whole
from mwbatch.errors import BadValue, UsageError
from mwbatch.journal.files.closing import in_thread
from mwbatch.library.runtime import Runtime
from mwbatch.library.settings.keywords import Confirm, CreateOptions, created_by, never_asked, one_of

if TYPE_CHECKING:
    import pyarrow  # pyright: ignore[reportMissingImports] (an extra)

    from mwbatch.core.report.command_outcomes import Canceled, Created, Made, Reconciled
    from mwbatch.core.report.exported import Exported
    from mwbatch.core.report.progress import Report
    from mwbatch.journal.interface.open_batch import OpenBatch
    from mwbatch.library.reading.details import Details
    from mwbatch.library.reading.results import Result

T = TypeVar("T")

SOME: Final = 500
"""Results that are read at a time, in a thread."""

EVERY: Final = 0.5
"""Seconds between two looks at what was written meanwhile."""


class Batch:
    """One batch of a home: the rows of a manifest, and all that is known about them.

    ``name`` is how it is found. It holds nothing open: what others do to the batch shows at the next call.
    """

    def __init__(self, runtime: Runtime, name: str) -> None:
        self._runtime, self.name = runtime, name

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    async def resume(self, **options: Unpack[CreateOptions]) -> "Created":
        """Go on with it where it stopped; the manifest is not read again. Raises as `Home.submit`."""
        from mwbatch.commands.verbs.submit import resume

        with self._runtime.at_work() as context:
            return await resume(
                self._runtime.store, self._runtime.api(), self.name, created_by(options), context
            )

    async def retry(
        self,
        *,
        status: str = Status.REJECTED.value,
        ids: Collection[str] = (),
        **options: Unpack[CreateOptions],
    ) -> "Created":
        """Open another attempt for rows in a ``status`` (rejected, canceled or doubt), or for those of them
        that ``ids`` name, and go on as `resume` does.

        With ``doubt`` a row may be paid twice: `reconcile` settles doubt without that risk, where it can.
        Raises as `Home.submit`.
        """
        from mwbatch.commands.verbs.retry import Choice, retry

        with self._runtime.at_work() as context:
            choice, send_options = Choice(status, ids), created_by(options)
            return await retry(
                self._runtime.store, self._runtime.api(), self.name, choice, send_options, context
            )

    async def cancel(self, *, ids: Collection[str] = (), confirm: Confirm = never_asked) -> "Canceled":
        """Give up the rows that are not final, or those of them that ``ids`` name.

        A task that people have completed meanwhile keeps its answer.

        Raises:
            UsageError: an id is not in the batch, or ``confirm`` said no; nothing was done.
            BatchBusy, ApiError: as `Home.submit`; what was withdrawn stays so.
        """
        from mwbatch.commands.verbs.cancel import cancel
        from mwbatch.commands.verbs.retry import Choice

        with self._runtime.at_work() as context:
            chosen = Choice(ids=ids).ids
            return await cancel(self._runtime.store, self._runtime.api(), self.name, chosen, context, confirm)

    async def reconcile(
        self,
        *,
        wait: bool = False,
        every: float = POLL,
        most: float | None = None,
        offline: bool = False,
        unproved: bool = False,
        settle: float = SETTLE,
        manifest: str | Path | None = None,
    ) -> "Reconciled":
        """Prove where every row is, and that none was paid twice.

        With ``wait`` it looks again ``every`` so many seconds until nothing is pending, for ``most`` seconds
        in all; ``offline`` makes no request; the batch is compared with a ``manifest`` that is named.

        Raises:
            UsageError: the options do not go together, or there is no such batch.
            ApiError: the API refuses us, or is not the batch's.
            StoreError: this machine cannot read or write the batch.
        """
        from mwbatch.commands.verbs.reconcile import ReconcileOptions, reconcile

        with self._runtime.at_work() as context:
            if wait and offline:
                raise UsageError("wait=True looks again at what the API has: leave out offline=True")
            reconcile_options = ReconcileOptions(settle, every if wait else None, most, unproved)
            name = self.name if manifest is None else str(manifest)
            client = None if offline else self._runtime.api()
            return await reconcile(self._runtime.store, client, name, context, reconcile_options)

    async def status(self, *, price: float | None = None) -> "Report":
        """Where it stands: no request is made, no lock taken; ``price`` is that of a task."""
        with self._runtime.at_work():
            amount("price", price, 0, GREATEST_COST, none=True)
            opened = await self._look()
            return (await opened.reported()).priced(price)

    async def results(self, *, all: bool = False) -> "AsyncIterator[Result]":  # noqa: A002 (the option's name)
        """The completed rows in the manifest's order, or with ``all`` every one, with their status and error.

        It gives what is there now, also while the batch runs.

        Raises:
            StoreError: at the end, where rows are lost that may have answers.
        """
        from mwbatch.journal.interface.distrust import tell_hidden
        from mwbatch.journal.interface.labelled import results
        from mwbatch.library.reading.results import result_of

        with self._runtime.at_work():
            opened = await self._look()
            lines = map(result_of, results(opened, every=all))
            while some := await in_thread(lambda: list(islice(lines, SOME))):
                for one in some:
                    yield one
            tell_hidden(opened)

    async def follow(self, *, but: Collection[str] = (), every: float = EVERY) -> "AsyncIterator[Result]":
        """The completed rows as their answers come, whoever stores them: first those that are there.

        It looks ``every`` so many seconds, and ends when no row is unfinished and nobody is at work here, or
        by `Home.stop`. Each row comes once, and none is left out: a program that keeps the ids of what it has
        handled, and gives them as ``but`` when it starts again, handles each at least once.

        Raises:
            StoreError: at the end, where rows are lost that may have answers.
        """
        from mwbatch.journal.interface.distrust import tell_hidden
        from mwbatch.library.reading.following import followed
        from mwbatch.library.reading.results import result_of

        with self._runtime.at_work() as context:
            opened = self._runtime.store.open(self._runtime.store.find(self.name))
            done = frozenset(but)
            async for line in followed(opened, context.sleep, every):
                if line["id"] not in done:
                    yield result_of(line)
            if not context.stopping.is_set():  # damage shows to a full reading alone
                tell_hidden(await self._look())

    async def details(self) -> "Details":
        """What ``--list`` of `mwbatch reconcile` lists, as far as it is on disk."""
        from mwbatch.library.reading.details import details_of

        with self._runtime.at_work():
            opened = await self._look()
            return await in_thread(details_of, opened)

    async def export(
        self,
        *,
        format: str,  # noqa: A002 (the option's name)
        output: str | Path,
        force: bool = False,
        measure_images: bool = False,
        leave_out_unsized: bool = False,
        outside: str | None = None,
        orientation: str | None = None,
        category: str | None = None,
        require_complete: bool = False,
    ) -> "Exported":
        """Write the completed rows for spreadsheets and training: ``output`` is there whole or not at all.

        ``outside``: keep, clip or drop boxes beyond their image; None for what suits the format.
        ``orientation``: sizes of photographs that are stored turned as displayed or stored; None for
        displayed, unless the boxes say otherwise.

        Raises:
            UsageError: the export cannot be as it was asked for; nothing was written.
            StoreError: this machine cannot read the batch, or cannot write the export.
        """
        from mwbatch.commands.verbs.export import export
        from mwbatch.core.manifest.image_size import Frame
        from mwbatch.export.choices import By, FormatName, Orientation, Outside
        from mwbatch.export.writing import Order

        with self._runtime.at_work() as context:
            order = Order(
                one_of("format", format, FormatName),
                Path(output),
                force,
                one_of("outside", outside, Outside) if outside is not None else None,
                None if category is None else one_of("category", category, By),
                leave_out_unsized,
                Frame(one_of("orientation", orientation, Orientation)) if orientation is not None else None,
            )
            opened = self._runtime.store.open(self._runtime.store.find(self.name))
            return await export(opened, context, order, measuring=measure_images, demanded=require_complete)

    async def make_annotating(
        self,
        *,
        instruction: str,
        options: Sequence[str],
        output: str | Path,
        brands: Collection[str] = (),
        min_size: float = 0.0,
        max_tags: int | None = None,
        single_option: bool = False,
        force: bool = False,
    ) -> "Made":
        """Write an annotating manifest that asks ``instruction`` about the tags of every completed row.

        Raises:
            UsageError: the question is none, nothing is left to ask about, or ``output`` is taken.
            StoreError: the batch cannot be read, or the manifest not be written.
        """
        from mwbatch.commands.verbs.make_annotating import make_annotating
        from mwbatch.core.report.second_stage import BoxQuestion, Filter

        with self._runtime.at_work() as context:
            for name, words in (("options", options), ("brands", brands)):
                if isinstance(words, str):
                    raise BadValue(name, words, f"several may be named: [{words!r}] would do")
            amount("min_size", min_size, 0, MOST_TASKS)
            whole("max_tags", max_tags, 1, MOST_TASKS, none=True)
            question = BoxQuestion(instruction, tuple(options), single_option)
            wanted = Filter(frozenset(brands), min_size, max_tags)
            return await make_annotating(
                self._runtime.store, self.name, question, wanted, Path(output), context, force=force
            )

    def table(self) -> "pyarrow.Table":
        """The completed rows as an Arrow table, a line a tag: with ``to_pandas()``, or ``polars.from_arrow``.

        It is the table of a parquet export, needs the extra ``parquet``, and blocks while it reads: in a
        program that does other things, ``await asyncio.to_thread(batch.table)``.
        """
        from mwbatch.library.reading.table import table

        with self._runtime.at_work():
            return table(self._runtime.store.open(self._runtime.store.find(self.name)))

    async def _look(self) -> "OpenBatch":
        from mwbatch.journal.interface.open_batch import look

        return await look(self._runtime.store, self._runtime.store.find(self.name))


class Submitted(Batch, Generic[T]):
    """A batch that something was just done to; ``outcome`` says what came of it."""

    def __init__(self, runtime: Runtime, name: str, outcome: T) -> None:
        super().__init__(runtime, name)
        self.outcome = outcome
