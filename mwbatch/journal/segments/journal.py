"""A journal in segments: the facts of one batch in its folder.

Each process that writes has segments of its own, at most one a folder, made at its first fact.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import compress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from mwbatch.core.facts.kinds import Fact, Failed, Planned, Seen, Started
from mwbatch.core.facts.line_patterns import (
    EDITION,
    KeptAnswer,
    answered_row,
    bare_callback,
    kept_answer,
    only,
    plans_of,
    renewed_plan,
    shown_task,
)
from mwbatch.core.state.batch import Batch
from mwbatch.journal.files.disk import DISK, Disk
from mwbatch.journal.interface.commit_times import Commits
from mwbatch.journal.interface.health import Damage, Health
from mwbatch.journal.interface.journal import After, Chosen, One
from mwbatch.journal.segments.folders import FOLDERS, JOURNAL, RESULTS, ROWS, Folder
from mwbatch.journal.segments.offsets import Plans
from mwbatch.journal.segments.scan import holds, segments_in, written_now
from mwbatch.journal.segments.tail import Tail

if TYPE_CHECKING:
    from mwbatch.journal.segments.answering import ChosenAnswers
    from mwbatch.journal.segments.following import News, Tasks
    from mwbatch.journal.segments.segment import OwnSegment
    from mwbatch.journal.segments.writer import Writer


class Segments:
    """The journal of one batch, in its folder.

    ``writer`` names who writes (``submit``, ``receiver`` …) in the names of the segments; ``commits`` counts
    what its commits cost. Where a ``base`` is named, folders are made below it alone: without it, writing
    raises `Displaced`.
    """

    def __init__(
        self,
        folder: Path,
        writer: str,
        disk: Disk = DISK,
        commits: Commits | None = None,
        *,
        base: Path | None = None,
    ) -> None:
        self.folder = folder
        self._folders = {name: Folder(folder / name, disk) for name in FOLDERS}
        self._writes = writer, disk, base
        self._own: dict[str, OwnSegment] = {}
        self._commits = commits
        self._made: Writer | None = None
        self._making = Lock()
        self._followed: tuple[Batch, Tail[None]] | None = None

    @property
    def _writer(self) -> "Writer":
        """What appends. MUST be one, whoever asks for it first.

        It is known there what is on its way to the disk.
        """
        if self._made is not None:  # as every callback finds it
            return self._made
        with self._making:
            if self._made is None:
                # asyncio, which costs more than reading
                from mwbatch.journal.segments.segment import OwnSegment  # noqa: PLC0415
                from mwbatch.journal.segments.writer import Writer  # noqa: PLC0415

                self._own = {name: OwnSegment(self.folder / name, *self._writes) for name in FOLDERS}
                answers, starts = self._folders[RESULTS].durable, self.facts
                self._made = Writer(
                    self._own, lambda: answers(kept_answer), lambda: starts(Started), self._commits
                )
            return self._made

    @property
    def where(self) -> str:
        """The path of the folder."""
        return str(self.folder)

    def health(self) -> Health:
        """What is wrong: of damage that of each folder as it was last read whole."""
        damage = tuple(damage for folder in self._folders.values() for damage in folder.damage)
        return Health(damage, self.backlog, self._made is not None and self._made.full)

    @property
    def written(self) -> dict[str, int]:
        """How many bytes are durable of each segment that is written here, by its path in the folder."""
        there = (own.written for own in self._own.values())
        return {str(path.relative_to(self.folder)): size for path, size in filter(None, there)}

    @property
    def backlog(self) -> int:
        """Bytes that wait to become durable."""
        return self._made.backlog if self._made else 0

    async def probe(self) -> bool:
        """Look for space where there was none; whether it is there now."""
        await self._writer.probe()
        return not self._writer.full

    def read(self) -> Iterator[Fact]:
        """Every fact of the batch: rows, then journal, then results."""
        for name in FOLDERS:
            yield from self._folders[name].read()

    def refresh(self, state: Batch | None = None) -> Batch:
        """The state by everything that is on disk.

        No fact is built that need not be, and no line is read twice.
        """
        there = self._followed
        if there is None or there[0] is not state or there[1].is_cut():
            del there
            self._followed = None  # two states of a million rows would be in memory together
            fresh = Batch()
            there = (fresh, Tail(self.folder, FOLDERS, fresh.add_line))
        there[1].catch_up()
        self._followed = there
        for name, damage in there[1].damage.items():
            self._folders[name].damage = [*damage]
        return there[0]

    async def close_absent(self, failed: Sequence[Failed], hold: Callable[[], None]) -> list[bool]:
        """End attempts that are in doubt still, by everything that is on disk now."""
        from mwbatch.core.sweeps.doubt import ended  # noqa: PLC0415 (and with it all that is known of listings)
        from mwbatch.journal.files.closing import in_thread  # noqa: PLC0415 (as in `_writer`)

        state = await in_thread(self.refresh, self._followed and self._followed[0])
        hold()
        ends = ended(state, failed)
        await self.append([*compress(failed, ends)])
        return ends

    def rows(
        self,
        want: Callable[[int], bool] | None = None,
        type: str | None = None,  # noqa: A002 - the API's name
    ) -> Iterator[Planned]:
        """The rows, those of one type whose number is wanted, in the order in which they were planned.

        Each comes once, in its latest edition.
        """
        rows = self._folders[ROWS]
        there = rows.facts(Planned) if want is None else rows.find(plans_of(want, type))
        latest = self._renewed() or None  # mostly none, and there is a row for every create
        known = bytearray()
        for _, _, fact in there:
            number = fact.row
            if (missing := number + 1 - len(known)) > 0:
                known.extend(bytes(missing + len(known) // 4))
            if not known[number] and (type is None or fact.type == type):
                known[number] = 1
                yield (latest.plan(number) if latest else None) or fact

    def read_row(self, number: int) -> Planned | None:
        """One row, in its latest edition; None where it is not there. Reads all of them to find it."""
        return next(self.rows(lambda row: row == number), None)

    def plans(self) -> Callable[[int], Planned | None]:
        """Looks up where the plan of each row stands, as of now, and reads it again."""
        plans = Plans()
        for place in self._folders[ROWS].facts(Planned):
            plans.take(*place)
        return plans.plan

    def _renewed(self) -> Plans:
        """The same of rows that were planned in more than one edition alone.

        Mostly none, which is seen at a glance.
        """
        plans, rows = Plans(), self._folders[ROWS]
        for path, offset, fact in rows.find(renewed_plan, [p for p in rows.segments() if holds(p, EDITION)]):
            plans.take(path, offset, fact)
        return plans

    def facts(self, kind: type[One]) -> Iterator[One]:
        """The facts of one kind among those that are neither rows nor answers."""
        return (fact for _, _, fact in self._folders[JOURNAL].find(only(kind)))

    def answers(self) -> Iterator[Seen]:
        """The answers alone."""
        return (fact for _, _, fact in self._folders[RESULTS].facts(Seen))

    def answered(self, chosen: Chosen | None = None) -> "ChosenAnswers":
        """The answers that are shown, as they are on disk now."""
        from mwbatch.journal.segments.answering import ChosenAnswers  # noqa: PLC0415 (a look at the counts does without)

        return ChosenAnswers(self, chosen)

    def news(self, state: Batch) -> "News":
        """Follow the batch: answers are read before the rows, so that no row is missing that had one."""
        from mwbatch.journal.segments.following import News  # noqa: PLC0415 (as above)

        return News(self.folder, (RESULTS, JOURNAL, ROWS), state)

    def tasks(self) -> "Tasks":
        """Follow which tasks are recorded by who asks the API."""
        from mwbatch.journal.segments.following import Tasks  # noqa: PLC0415 (as above)

        return Tasks(self.folder, JOURNAL)

    def answered_rows(self) -> Iterator[tuple[Path, int, int]]:
        """Where each answer stands, segment and byte offset, and its row: no fact is built for it."""
        return self._folders[RESULTS].every(answered_row)

    def shown_tasks(self) -> Iterator[tuple[int, bytes]]:
        """The row and the id of every task that was shown, as often as it was."""
        for name in (JOURNAL, RESULTS):
            yield from (shown for _, _, shown in self._folders[name].find(shown_task))

    def index(self, hear: Callable[[KeptAnswer], object] = lambda _: None) -> int:
        """Learn which answers are on disk, so that none is stored twice.

        Returns how many. Blocks while it reads.

        ``hear`` is told of each.
        """
        return self._writer.index(hear)

    def knows(self, fact: Fact) -> bool:
        """Whether this is an answer that is known to be on disk, or is on its way there."""
        return self._writer.knows(fact)

    def stands(self) -> bool:
        """Whether every answer that is known is on disk still, as far as a look can tell. Blocks."""
        own = self._own.get(RESULTS)
        return (own is None or own.stands) and self._folders[RESULTS].stands()

    def callbacks(self) -> Iterator[Seen]:
        """The callbacks that brought no answer."""
        return (fact for _, _, fact in self._folders[JOURNAL].find(bare_callback))

    async def append(self, facts: Sequence[Fact], after: After | None = None) -> list[bool]:
        """Make facts durable; no answer and no start that is on disk, or on its way, is written again."""
        return await self._writer.append(facts, after)

    def dead_segments(self) -> list[Path]:
        """The segments whose writers are gone, so that nothing is ever added to them."""
        paths = [path for folder in self._folders.values() for path in folder.segments()]
        return [path for path in paths if not written_now(path)]

    async def close(self) -> None:
        """Finish what was begun and release every file, however often the caller is cancelled.

        Raises the first error that this met.
        """
        from mwbatch.journal.files.closing import to_end  # noqa: PLC0415 (asyncio, as in `_writer`)

        if self._made is not None:
            await to_end(self._made.close())


def segment_sizes(folder: Path) -> dict[str, int]:
    """The sizes in bytes of a batch folder's segments, empty ones left out, by their path in it."""
    sizes = {}
    for path in (path for name in FOLDERS for path in segments_in(folder / name)):
        with suppress(FileNotFoundError):  # its writer removes it at close where it is empty
            if size := path.stat().st_size:
                sizes[str(path.relative_to(folder))] = size
    return sizes


def damage_of(folder: Path) -> list[Damage]:
    """What is lost of the journal in a folder, which need not be there. Reads all of it."""
    if not folder.is_dir():
        return []
    journal = Segments(folder, "view")
    for _ in journal.read():
        pass
    return journal.health().lost
