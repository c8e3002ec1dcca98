"""Walks through the listing, page by page, and keeps what it shows of the batch."""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Final

from mwbatch.client.client import LARGEST_PAGE
from mwbatch.commands.context.clocks import api_now
from mwbatch.commands.context.session import Session
from mwbatch.commands.settling.sights import genuine, learned
from mwbatch.core.codec.times import iso
from mwbatch.core.facts.digests import digest
from mwbatch.core.facts.kinds import Seen
from mwbatch.core.state.task_state import TaskState
from mwbatch.core.sweeps.drift import WIDE
from mwbatch.core.sweeps.span import Span, Undated, oldest
from mwbatch.core.sweeps.sweep import AttemptKey, Sight, Sweep
from mwbatch.core.words.plural import counted
from mwbatch.core.words.values import LONGEST_WALK
from mwbatch.errors import ApiError, Refused
from mwbatch.journal.files.closing import in_thread

_SIZES: Final = 32
"""So many sizes a page may have where it is asked for by offset: no cache has the page that another walk
asked for."""

_SLOW: Final = "dates of tasks say nothing here, so the whole listing is walked, twice"


@dataclass(frozen=True, slots=True)
class Swept:
    """What a walk came to. ``tasks`` were listed in all, ``ours`` of them at addresses of the batch.

    ``end`` is the server's clock when the walk began (ISO 8601), None where the server tells none; ``flaws``
    say why nothing may be concluded from what was not shown; ``new`` counts tasks of which it told something
    new; ``forged`` are the attempts whose address stands there without our signature: that is no evidence,
    and no absence either. ``covers`` of the ``known`` tasks that had to be shown were, at their addresses,
    and some are ``lacking``; ``shows`` says it of any task by its id. ``bare`` are the types of tasks that
    were listed without any callback address: any of them might be ours.
    """

    tasks: int
    ours: int
    new: int
    forged: frozenset[AttemptKey]
    end: str | None
    flaws: tuple[str, ...]
    covers: int = 0
    known: int = 0
    lacking: bool = False
    shows: Callable[[str], bool] = lambda _: False
    bare: frozenset[str] = frozenset()


async def sweep(
    session: Session,
    span: Span,
    must: Iterable[str] = (),
    *,
    dated: bool = True,
    on_sight: Callable[[Sight], None] = lambda _: None,
) -> Swept:
    """List everything from where the span begins, record what is ours, and judge the listing.

    ``must`` names tasks that have to be shown besides. It is walked by dates, unless ``dated`` is False or
    dates say nothing: then by offset, all of it and twice. Raises `ApiError` where the listing cannot be
    read.
    """
    now = await api_now(session.client)
    walks = _Walks(session, span, frozenset(must), now, on_sight)
    try:
        return await (walks.dated() if dated else walks.undated())
    except Undated:
        return await walks.undated()


async def glance(session: Session, span: Span, pages: int | None = None) -> tuple[int, list[str]]:
    """Record what is listed from where ``span`` begins, be it proof or not.

    At most the first ``pages`` are looked at. Returns of how many tasks it told something new, and why
    something may be there all the same that it has not shown.
    """
    walks = _Walks(session, span, frozenset(), None, lambda _: None)
    return await walks.once(pages)


class _Walks:
    """The walks of one sweep."""

    def __init__(
        self,
        session: Session,
        span: Span,
        must: frozenset[str],
        now: datetime | None,
        on_sight: Callable[[Sight], None],
    ) -> None:
        self._session, self._span, self._must = session, span, must
        self._now, self._on_sight = now, on_sight
        self._batch = session.batch
        self._until = session.ticks() + LONGEST_WALK
        self._is_whole: bool | None = None

    async def dated(self) -> Swept:
        """By dates, as far as they may lie from the server's clock.

        It ends beyond the server's clock, which counts whole seconds and may be another than tasks are dated
        by: what is created meanwhile stands before everything else, and hides nothing.

        Raises:
            Undated: dates say nothing.
        """
        drift = self._batch.drift
        least = oldest(task.created_at for _, task in self._known())
        if drift.is_wide:
            raise Undated
        start = self._span.start(drift, least)
        first = iso(start) if start else None
        last = iso(self._now + WIDE) if self._now else None
        return await self._judged(lambda: self.new(first, last), twice=False)

    async def undated(self) -> Swept:
        """By offset, from the first page to the last, and twice."""
        return await self._judged(lambda: self.new(None, None, dated=False), twice=True)

    async def once(self, pages: int | None) -> tuple[int, list[str]]:
        """By dates, and without an end; by offset from the first page where that leads nowhere.

        What `glance` returns.
        """
        start, new = self._start(), 0
        with suppress(Refused):  # it takes no dates
            walk, new = await self.walk(await self.new(iso(start) if start else None, None), pages)
            if not walk.undated:
                return new, self._doubts(walk)
        walk, more = await self.walk(await self.new(None, None, dated=False), pages)
        return new + more, self._doubts(walk)

    def _doubts(self, walk: Sweep) -> list[str]:
        """Its flaws; without a task that it had to show nobody can tell whether it had any."""
        flaws = walk.flaws((task.task_id, place) for place, task in self._known())
        return flaws or ([] if walk.known else ["no task is known that the listing had to show"])

    def _start(self) -> datetime | None:
        """Where the span begins; None where dates say nothing."""
        try:
            least = oldest(task.created_at for _, task in self._known())
        except Undated:
            return None
        return None if self._batch.drift.is_wide else self._span.start(self._batch.drift, least)

    async def new(self, start: str | None, end: str | None, *, dated: bool = True) -> Sweep:
        """A walk that is to begin."""
        batch, now = self._batch, self._now and self._now + self._batch.drift.ahead
        ours = await in_thread(genuine, batch)
        return Sweep(batch.info.batch_id, ours, start, end, dated=dated, now=now if dated else None)

    async def _judged(self, begin: Callable[[], Awaitable[Sweep]], *, twice: bool) -> Swept:
        """Walk, a second time where one proves nothing, and judge.

        Raises:
            Undated: a date could not be read.
        """
        walk, new = await self.walk(await begin())
        flaws = self._flaws(walk)
        if (twice or not walk.counted) and not flaws:
            first = walk
            walk, more = await self.walk(await begin())
            new += more
            flaws = self._flaws(walk)
            if not (flaws or walk.lists_as(first)):
                flaws = ["two walks through the listing differ"]
        end = iso(self._now) if self._now else None
        return Swept(
            walk.tasks,
            walk.ours,
            new,
            frozenset(walk.forged),
            end,
            tuple(flaws),
            walk.covered,
            walk.known,
            walk.lacking > 0,
            walk.shows,
            frozenset(walk.bare),
        )

    def _flaws(self, walk: Sweep) -> list[str]:
        if walk.undated:
            raise Undated
        return walk.flaws((task.task_id, place) for place, task in self._known())

    def _known(self) -> Iterator[tuple[AttemptKey, TaskState]]:
        return self._span.known(self._batch.state, self._must)

    async def walk(self, walk: Sweep, pages: int | None = None) -> tuple[Sweep, int]:
        """One walk, to its end, its deadline, or the user's wish to stop; ``pages`` are the most it looks at.

        With the number of tasks that it told something new of.
        """
        batch, session, new, began = self._batch, self._session, 0, self._session.ticks()
        session.walks += 1
        limit = LARGEST_PAGE if walk.dated else LARGEST_PAGE - session.walks % _SIZES
        while (query := walk.query) is not None and not session.is_stopping and session.ticks() < self._until:
            if pages == 0:
                break
            pages = pages and pages - 1
            page = await session.client.list_page(
                start_time=query.start, end_time=query.end, limit=limit, offset=query.offset, fresh=True
            )
            if not walk.dated and not query.offset:
                self._tell(page.total, page.received, session.ticks() - began)
            sights = list(walk.add(page))
            for sight in sights[:1]:  # the newest
                batch.drift.listed(sight.task.created_at, page.clock)
            for sight in sights:
                self._on_sight(sight)
            told = await self._learned(sights)
            await session.record(list(chain.from_iterable(told)))
            new += len(told)
            session.tally.listed = walk.tasks
        return walk, new

    async def _learned(self, sights: list[Sight]) -> list[list[Seen]]:
        """What is new of these tasks; their answers only where the listing leaves out nothing of them.

        What is stored first is what the user gets: an answer that is listed in part is left to be asked for.
        """
        state, now = self._batch.state, self._session.now()
        told = [learned(state, sight, now, whole=self._is_whole is not False) for sight in sights]
        if self._is_whole is None:
            self._is_whole = await self._compared([fact for facts in told for fact in facts if fact.answer])
            if self._is_whole is False:
                told = [learned(state, sight, now, whole=False) for sight in sights]
        return [facts for facts in told if facts]

    async def _compared(self, answers: list[Seen]) -> bool | None:
        """Whether a GET shows the longest of these answers as it is listed; None where nobody can tell."""
        longest = max(answers, key=lambda fact: len(fact.body or b""), default=None)
        if longest is None:
            return None
        with suppress(ApiError):
            shown = await self._session.client.retrieve(longest.task_id)
            return None if shown.response is None else digest(shown.response) == longest.answer
        return None

    def _tell(self, total: int | None, size: int, seconds: float) -> None:
        """Say what a walk through everything will take, once."""
        notes = self._session.tally.notes
        if any(note.startswith(_SLOW) for note in notes):
            return
        pages = -(-total // size) if total and size else None
        self._session.note(
            f"{_SLOW}: {counted(total, 'task')} on {counted(pages, 'page')}, "
            f"about {2 * pages * seconds:,.0f} s"
            if pages and total
            else f"{_SLOW}; how many tasks there are it does not say"
        )
