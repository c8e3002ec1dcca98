"""The rows of a manifest made durable as planned: those that were compared, and no others."""

from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import cast

from mwbatch.commands.context.context import Context
from mwbatch.commands.manifest.manifest_survey import ASIDE, ManifestSurvey, renewed
from mwbatch.commands.manifest.planning import ManifestSource
from mwbatch.core.codec.ids import RowNumber
from mwbatch.core.facts.digests import stable_digest
from mwbatch.core.facts.kinds import Planned
from mwbatch.core.manifest.entry import Entry, Found
from mwbatch.errors import UsageError
from mwbatch.journal.files.closing import in_thread
from mwbatch.journal.interface.open_batch import OpenBatch


async def write_plan(
    batch: OpenBatch, source: ManifestSource, found: ManifestSurvey, context: Context
) -> None:
    """Make the new rows durable as ``planned``, and those that were signed anew in another edition.

    Only what was compared is planned: the file is read again, maybe much later, and somebody may have written
    it anew.

    Raises:
        UsageError: the file changed while it was being read.
    """
    tally = context.tally
    tally.begin("planning rows", found.new + found.renewed)
    if not tally.total:
        return
    plans = await in_thread(batch.journal.plans) if found.renewed else lambda _: None
    plan = _Plan(source, found, plans)
    manifest = source.manifest()
    async with manifest.chunks() as chunks:
        async for chunk in chunks:
            facts = plan.rows(chunk, manifest.mark, context.now())
            await batch.record(facts)
            tally.done += len(facts)
    plan.end()


class _Plan:
    """What is planned of a manifest, as it is read once more."""

    def __init__(
        self, source: ManifestSource, found: ManifestSurvey, plans: Callable[[int], Planned | None]
    ) -> None:
        self._source, self._plan = source, plans
        self._numbers, self._marks, self._requests = iter(found.numbers), iter(found.marks), found.requests()
        self._names = found.volatile or ()

    def rows(self, chunk: list[Found], mark: bytes, at: float) -> list[Planned]:
        """Those of the rows that are to be planned; ``mark`` is what the manifest has after them."""
        entries = [one for one in chunk if isinstance(one, Entry)]
        self._check(len(entries) == len(chunk) or self._source.skip_invalid)
        numbers = cast("list[RowNumber]", list(islice(self._numbers, len(entries))))
        self._check(len(numbers) == len(entries))
        there = zip(entries, numbers, strict=True)
        if mark == next(self._marks, None) and min(numbers, default=0) >= 0:
            # Nothing has changed up to here: what each row asks for need not be found out again.
            deque(islice(self._requests, len(numbers)), maxlen=0)
            return [
                Planned(at, number, one.id, one.line, one.type, one.request, one.columns)
                for one, number in there
            ]
        return [self._row(one, number, at) for one, number in there if number >= 0 or number < ASIDE]

    def _row(self, entry: Entry, number: RowNumber, at: float) -> Planned:
        """A new row, or the next edition of one.

        Its request as it stands in the manifest now, all else as it was planned.
        """
        digest = stable_digest(entry.type, entry.request, self._names)
        if number >= 0:
            self._check(digest == next(self._requests, None))
            return Planned(at, number, entry.id, entry.line, entry.type, entry.request, entry.columns)
        was = self._plan(renewed(number))
        assert was is not None
        self._check(digest == stable_digest(was.type, was.request, self._names))
        return was._replace(at=at, line=entry.line, request=entry.request, edition=was.edition + 1)

    def end(self) -> None:
        """See that nothing is left that was compared."""
        self._check(next(self._requests, None) is None)

    def _check(self, is_same: bool) -> None:
        if not is_same:
            raise self._changed()

    def _changed(self) -> UsageError:
        return UsageError(f"{self._source.path} changed while it was being read; run the same command again")
