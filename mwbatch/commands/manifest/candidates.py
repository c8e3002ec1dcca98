"""The rows that would be sent, and what they ask for: of a batch, of a manifest, or of both."""

from array import array
from collections.abc import Set
from dataclasses import dataclass, field

from mwbatch.commands.manifest.manifest_survey import ManifestSurvey
from mwbatch.commands.manifest.planning import ManifestSource
from mwbatch.core.facts.digests import stable_digest
from mwbatch.core.manifest.cells import shown
from mwbatch.core.manifest.entry import Entry
from mwbatch.core.spending.overlaps import Ahead
from mwbatch.journal.files.closing import in_thread
from mwbatch.journal.interface.batch_info import BatchInfo
from mwbatch.journal.interface.belongings import RECORD
from mwbatch.journal.interface.open_batch import OpenBatch


@dataclass(slots=True)
class Candidates:
    """The rows that would be sent: those of the batch that may be, those to be opened again,
    new ones of a manifest.

    ``batch`` is None while it is yet to be made; ``found`` is what ``source`` holds. ``keep``: their digests
    may be kept.
    """

    info: BatchInfo
    batch: OpenBatch | None = None
    reopened: "array[int]" = field(default_factory=lambda: array("Q"))
    source: ManifestSource | None = None
    found: ManifestSurvey | None = None
    keep: bool = True
    _ahead: dict[frozenset[str], Ahead] = field(default_factory=dict)

    @property
    def names(self) -> frozenset[str]:
        """What the batch calls volatile."""
        return frozenset(self.info.volatile)

    @property
    def may_repeat(self) -> bool:
        """Whether some may ask for what another row of their batch asks for:
        an older version told rows apart by their signatures.

        An id of its own is the user's word that it is another row.
        """
        return self.batch is not None and self.batch.info.id_column is None and self._has_planned

    def __bool__(self) -> bool:
        return self._has_planned or (self.found is not None and self.found.new > 0)

    @property
    def _has_planned(self) -> bool:
        """Whether some are rows of the batch already."""
        return self.batch is not None and bool(self.reopened or self.batch.state.sendable())

    def may_ask(self, digests: Set[bytes]) -> bool:
        """Whether one of them may ask for one of these, by what the batch calls volatile;
        the batch is not read for it.
        """
        if not digests or self._has_planned:
            return bool(digests)
        return self.found is not None and not digests.isdisjoint(self.found.requests())

    async def ahead(self, names: frozenset[str]) -> Ahead:
        """All of them, by what they ask for where ``names`` are volatile; always in the same order,
        and read once.
        """
        if names not in self._ahead:
            self._ahead[names] = await self._read(names)
        return self._ahead[names]

    async def _read(self, names: frozenset[str]) -> Ahead:
        ahead = Ahead()
        if self.batch is not None and self._has_planned:
            await in_thread(self._planned, ahead, self.batch, names)
        if self.source is not None and self.found is not None and self.found.new:
            if names == self.names:
                for number, digest in zip(self.found.fresh(), self.found.requests(), strict=True):
                    ahead.add(number, digest)
            else:
                await self._new(ahead, self.source, self.found, names)
        return ahead

    def _planned(self, ahead: Ahead, batch: OpenBatch, names: frozenset[str]) -> None:
        state, done, reopened = batch.state, bytearray(batch.state.end), bytearray(batch.state.end)
        for number in self.reopened:
            reopened[number] = 1
        for block in batch.own.asked(names, keep=self.keep and names == self.names):
            for number, digest in RECORD.iter_unpack(block):
                if number >= len(done) or not (reopened[number] or state.is_sendable(number)):
                    continue
                if not done[number] or digest not in ahead:  # a row is there once more for each edition
                    ahead.add(number, digest)
                    done[number] = 1

    async def _new(
        self, ahead: Ahead, source: ManifestSource, found: ManifestSurvey, names: frozenset[str]
    ) -> None:
        numbers = iter(found.numbers)
        async with source.manifest().chunks() as chunks:
            async for chunk in chunks:
                for one in chunk:
                    if isinstance(one, Entry) and (number := next(numbers, -1)) >= 0:
                        ahead.add(number, stable_digest(one.type, one.request, names))

    async def row(self, number: int) -> str:
        """One of them in words: where it stands, and its id."""
        if self.batch is not None and (planned := self.batch.planned(number)):
            return f"line {planned.line} ({shown(planned.id)})"
        assert self.source is not None
        assert self.found is not None
        place = self.found.numbers.index(number)
        async with self.source.manifest().chunks() as chunks:
            async for chunk in chunks:
                good = [one for one in chunk if isinstance(one, Entry)]
                if place < len(good):
                    return f"line {good[place].line} ({shown(good[place].id)})"
                place -= len(good)
        return f"row {number}"
