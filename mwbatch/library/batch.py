"""A batch as a program meets it: every verb that names one is a method."""

from collections.abc import AsyncIterator
from itertools import islice
from typing import Final, Generic, TypeVar, Unpack

from mwbatch.commands.verbs import reconcile as reconciling
from mwbatch.commands.verbs.submit import resume
from mwbatch.core.report.checked import Checked
from mwbatch.core.report.outcomes import Created, Reconciled
from mwbatch.core.report.progress import Report
from mwbatch.core.words.values import POLL, SETTLE
from mwbatch.errors import UsageError
from mwbatch.journal.files.closing import in_thread
from mwbatch.journal.seam.distrust import tell_hidden
from mwbatch.journal.seam.labelled import results
from mwbatch.journal.seam.open_batch import look
from mwbatch.library.means import Means
from mwbatch.library.options import CreateOptions, created_by
from mwbatch.library.results import Result, result_of

T = TypeVar("T", bound=Checked)

SOME: Final = 500
"""Results that are read at a time, in a thread."""


class Batch:
    """One batch of a home: the rows of a manifest, and all that is known about them.

    ``name`` is how it is found. It holds nothing open: what others do to the batch shows at the next call.
    """

    def __init__(self, means: Means, name: str) -> None:
        self._means, self.name = means, name

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    async def resume(self, **options: Unpack[CreateOptions]) -> Created:
        """Go on with it where it stopped; the manifest is not read again. Raises as `Home.submit`."""
        with self._means.at_work() as desk:
            return await resume(self._means.store, self._means.api(), self.name, created_by(options), desk)

    async def reconcile(
        self,
        *,
        wait: bool = False,
        every: float = POLL,
        most: float | None = None,
        offline: bool = False,
        unproved: bool = False,
        settle: float = SETTLE,
    ) -> Reconciled:
        """Prove where every row is, and that none was paid twice.

        With ``wait`` it looks again ``every`` so many seconds until nothing is pending, for ``most`` seconds
        in all; ``offline`` makes no request.

        Raises:
            UsageError: the options do not go together, or there is no such batch.
            ApiError: the API refuses us, or is not the batch's.
            StoreError: this machine cannot read or write the batch.
        """
        with self._means.at_work() as desk:
            if wait and offline:
                raise UsageError("wait=True looks again at what the API has: leave out offline=True")
            manner = reconciling.Manner(settle, every if wait else None, most, unproved)
            client = None if offline else self._means.api()
            return await reconciling.reconcile(self._means.store, client, self.name, desk, manner)

    async def status(self) -> Report:
        """Where it stands: no request is made, no lock taken."""
        with self._means.at_work():
            opened = await look(self._means.store, self._means.store.find(self.name))
            return await opened.reported()

    async def results(self, *, all: bool = False) -> AsyncIterator[Result]:  # noqa: A002 (the option's name)
        """The completed rows in the manifest's order, or with ``all`` every one, with their status and error.

        It gives what is there now, also while the batch runs.

        Raises:
            StoreError: at the end, where rows are lost that may have answers.
        """
        with self._means.at_work():
            opened = await look(self._means.store, self._means.store.find(self.name))
            lines = results(opened, every=all)
            while some := await in_thread(lambda: [result_of(line) for line in islice(lines, SOME)]):
                for one in some:
                    yield one
            tell_hidden(opened)


class Submitted(Batch, Generic[T]):
    """A batch that something was just done to; ``outcome`` says what came of it."""

    def __init__(self, means: Means, name: str, outcome: T) -> None:
        super().__init__(means, name)
        self.outcome = outcome
