"""The rows of a manifest made durable as planned: those that were compared, and no others."""

import asyncio
from collections.abc import Iterator

from mwbatch.commands.desk import Desk
from mwbatch.commands.manifests import Manifest
from mwbatch.commands.planning import Source
from mwbatch.commands.survey import ASIDE, Survey, renewed
from mwbatch.core.digests import stable_digest
from mwbatch.core.entry import Entry, Found, Problem
from mwbatch.core.facts import Planned
from mwbatch.errors import UsageError
from mwbatch.journal.opened import Opened
from mwbatch.journal.places import Plans


async def write_plan(batch: Opened, source: Source, found: Survey, desk: Desk) -> None:
    """Make the new rows durable as ``planned``, and those that were signed anew in another edition.

    Only what was compared is planned: the file is read again, maybe much later, and somebody may have written it anew.

    Raises:
        UsageError: the file changed while it was being read.
    """
    tally = desk.tally
    tally.begin("planning rows", found.new + found.renewed)
    if not tally.total:
        return
    plans = await asyncio.to_thread(batch.journal.plans) if found.renewed else Plans()
    plan = _Plan(source, found, plans)
    async with Manifest(source.path).chunks() as chunks:
        async for chunk in chunks:
            facts = [plan.row(one, number, desk.now()) for one, number in plan.numbered(chunk)]
            await batch.record(facts)
            tally.done += len(facts)
    plan.end()


class _Plan:
    """What is planned of a manifest, as it is read once more."""

    def __init__(self, source: Source, found: Survey, plans: Plans) -> None:
        self._source, self._plans = source, plans
        self._numbers, self._requests = iter(found.numbers), found.requests()
        self._names = found.volatile or ()

    def numbered(self, chunk: list[Found]) -> Iterator[tuple[Entry, int]]:
        """Those of the rows that are to be planned, with their numbers."""
        for one in chunk:
            if isinstance(one, Problem) and self._source.skip_invalid:
                continue
            number = next(self._numbers, None)
            if number is None or not isinstance(one, Entry):
                raise self._changed()
            if number >= 0 or number < ASIDE:
                yield one, number

    def row(self, entry: Entry, number: int, at: float) -> Planned:
        """A new row, or the next edition of one: its request as it stands in the manifest now, all else as it was planned."""
        digest = stable_digest(entry.type, entry.request, self._names)
        if number >= 0:
            self._check(digest == next(self._requests, None))
            return Planned(at, number, entry.id, entry.line, entry.type, entry.request, entry.columns)
        was = self._plans.plan(renewed(number))
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
