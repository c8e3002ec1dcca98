"""The sweep: a walk through a listing from which absence may be concluded, or which says why not."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from mwbatch.core.api.address import Address, Key, write
from mwbatch.core.api.page import Page
from mwbatch.core.api.task import Task
from mwbatch.core.codec.ids import Attempt, Kid, RowNumber
from mwbatch.core.codec.times import iso, moment
from mwbatch.core.sweeps.sweep import AttemptKey, Query, Sight, Sweep

OURS, OTHERS = "b234567890", "b999999999"
KEY, FOREIGN = Key(Kid("k1"), b"k" * 16), Key(Kid("k1"), b"f" * 16)
EPOCH = datetime(2026, 11, 24, tzinfo=UTC)


def at(second: float) -> str:
    """A time on the wire."""
    return iso(EPOCH + timedelta(seconds=second))


def task(number: int, second: float, batch: str = OURS, key: Key = KEY) -> Task:
    """The task of row ``number``, created at a second."""
    return Task(
        f"task-{number:03}",
        "tagging",
        "pending",
        write("https://calls.test/hooks", key, batch, RowNumber(number), Attempt(1)),
        at(second),
    )


@dataclass
class Api:
    """A listing as the reference describes it; a lie changes the tasks that it looks at,
    or the page that it answers.

    A ``bare`` one names no total, and whether there is more only where it ``tells_more``. ``arriving`` are
    created by others, one after each page; ``asked`` are the queries that came.
    """

    tasks: list[Task]
    limit: int
    bare: bool = False
    arriving: list[Task] = field(default_factory=list)
    heeds_end: bool = True
    heeds_offset: bool = True
    descends: bool = True
    tells_more: bool = False
    lie: Callable[[Page, int], Page] = lambda page, _: page
    asked: list[Query] = field(default_factory=list)

    def within(self, start: str | None, end: str | None) -> list[Task]:
        """The tasks of an interval, both ends included."""
        first, last = moment(start), moment(end)
        return [
            task
            for task in self.tasks
            if (time := moment(task.created_at))
            and (not first or first <= time)
            and (not last or time <= last)
        ]

    def page(self, query: Query) -> Page:
        """Answer one query."""
        self.asked.append(query)
        assert len(self.asked) < 500, "the walk does not end"
        there = self.within(query.start, query.end if self.heeds_end else None)
        there.sort(key=lambda task: (task.created_at, task.task_id), reverse=self.descends)
        offset = query.offset if self.heeds_offset else 0
        shown = tuple(there[offset : offset + self.limit])
        more = offset + len(shown) < len(there)
        bare = (None, more if self.tells_more else None)
        said: tuple[int | None, bool | None] = bare if self.bare else (len(there), more)
        page = Page(
            shown, tuple({"id": task.task_id} for task in shown), *said, self.limit, offset, None, len(shown)
        )
        self.tasks += self.arriving[:1]
        del self.arriving[:1]
        return self.lie(page, len(self.asked))


class Walk(Sweep):
    """A sweep with the ids that it was shown, and what is known of the batch."""

    def __init__(self, start: str | None, end: str | None, known: dict[str, AttemptKey] | None) -> None:
        super().__init__(OURS, self._ours, start, end)
        self.there, self._seen = known or {}, set[str]()

    @property
    def ids(self) -> set[str]:
        """The ids that it was shown, and took in."""
        return {task_id for task_id in self._seen if self.shows(task_id)}

    def _ours(self, task_id: str, address: Address) -> bool:
        place = AttemptKey(address.row, address.attempt)
        return address.signed_by(KEY) or self.there.get(task_id) == place

    def add(self, page: Page) -> Iterator[Sight]:
        """Take one page in."""
        self._seen.update(task.task_id for task in page.tasks)
        return super().add(page)

    def flaws(self, known: Iterable[tuple[str, AttemptKey]] = ()) -> list[str]:
        """The flaws, given what is known."""
        return super().flaws([*known, *self.there.items()])


def walk(
    api: Api, start: str | None, end: str | None, known: dict[str, AttemptKey] | None = None
) -> tuple[Walk, list[Sight]]:
    """Walk the whole listing."""
    sweep, sights = Walk(start, end, known), list[Sight]()
    while sweep.query is not None:
        sights += sweep.add(api.page(sweep.query))
    return sweep, sights


def judged(api: Api, start: str | None, end: str | None) -> tuple[set[str], list[str]]:
    """What was shown and why it proves nothing; twice, as commands walk where the API names no total."""
    first, _ = walk(api, start, end)
    if first.counted or first.flaws():
        return first.ids, first.flaws()
    second, _ = walk(api, start, end)
    return second.ids, second.flaws() or [f for f in ["the two differ"] if not second.lists_as(first)]


seconds = st.integers(0, 9)
_specs = st.lists(st.tuples(seconds, st.sampled_from([OURS, OURS, OTHERS])), max_size=24)
tasks = _specs.map(lambda specs: [task(n, second, batch) for n, (second, batch) in enumerate(specs)])
limits = st.integers(1, 6) | st.integers(7, 100)
intervals = st.tuples(st.none() | seconds, st.none() | st.integers(4, 12)).map(
    lambda ends: (None if ends[0] is None else at(ends[0]), None if ends[1] is None else at(ends[1]))
)
arrivals = st.integers(0, 12).map(lambda n: [task(900 + i, 20 + i, OTHERS) for i in range(n)])
worlds = st.builds(Api, tasks, limits, st.booleans(), arrivals, tells_more=st.booleans())


@given(worlds, intervals)
def test_an_honest_listing_is_shown_whole(api: Api, interval: tuple[str | None, str | None]) -> None:
    """Each task of the interval is shown once, whatever ties, page size and dialect,
    whoever else creates meanwhile.
    """
    there = api.within(*interval)
    ours = {f"task-{n:03}": AttemptKey(RowNumber(n), Attempt(1)) for n in range(24)}
    known = {t.task_id: ours[t.task_id] for t in there if f"/{OURS}/" in (t.callback_url or "")}
    sweep, sights = walk(api, *interval, dict(known))
    assert (sweep.flaws(), sweep.counted) == ([], not api.bare)
    assert sweep.ids == {t.task_id for t in there}
    assert sweep.tasks == len(there)
    assert sorted((sight.task.task_id, sight.place) for sight in sights) == sorted(known.items())
    assert sweep.ours == len(sights) == len(known)
    assert all(sight.genuine and sight.document == {"id": sight.task.task_id} for sight in sights)


@given(worlds, intervals)
def test_the_walk_is_short(api: Api, interval: tuple[str | None, str | None]) -> None:
    """No more pages than two a step: each step goes down by a page, or to the end of an instant."""
    there = len(api.within(*interval))
    walk(api, *interval)
    # A page of one task that begins where the last ended shows nothing new; larger ones show all but one.
    steps = there if api.limit == 1 else -(-there // (api.limit - 1)) + there // api.limit
    assert len(api.asked) <= 2 * (steps + 1) + 2 * api.bare  # one instant alone is looked behind


def emptied(page: Page) -> Page:
    """A cache's idea of that page."""
    return replace(page, tasks=(), docs=(), received=0, has_more=None if page.has_more is None else False)


def spoilt(page: Page) -> Page:
    """Its last entry is no task."""
    return replace(page, tasks=page.tasks[:-1], docs=page.docs[:-1], unreadable=min(1, len(page.tasks)))


def undated(page: Page) -> Page:
    """Its last task has no ``created_at``."""
    return replace(
        page, tasks=tuple(t._replace(created_at=None) if t is page.tasks[-1] else t for t in page.tasks)
    )


def ended(page: Page) -> Page:
    """There is no more, it says."""
    return replace(page, has_more=False)


@pytest.mark.parametrize("change", [emptied, spoilt, undated, ended])
@given(worlds, intervals, st.integers(1, 8))
def test_a_page_that_lies(
    change: Callable[[Page], Page], api: Api, interval: tuple[str | None, str | None], which: int
) -> None:
    """A page that is left out, cut, unreadable or undated makes a flaw,
    unless everything was shown in spite of it.
    """
    there = {t.task_id for t in api.within(*interval)}
    api.lie = lambda page, number: change(page) if number == which else page
    ids, flaws = judged(api, *interval)
    assert flaws or ids >= there


@given(worlds, intervals, st.sampled_from(["heeds_end", "heeds_offset", "descends"]))
@example(Api([task(n, n) for n in range(6)], 3, bare=True), (None, at(12)), "descends")
@example(Api([task(n, n // 3) for n in range(6)], 1, bare=True), (None, None), "heeds_offset")
@example(Api([task(0, 0), task(1, 1)], 1, bare=True), (None, None), "descends")
@example(Api([task(n, n // 3) for n in range(6)], 3, bare=True), (None, None), "descends")
@example(Api([task(n, n // 3) for n in range(6)], 3, bare=True, tells_more=True), (None, None), "descends")
def test_a_listing_that_heeds_nothing(api: Api, interval: tuple[str | None, str | None], what: str) -> None:
    """Where end_time, offset or the order is not heeded there is a flaw,
    unless everything was shown in spite of it.
    """
    there = {t.task_id for t in api.within(*interval)}
    setattr(api, what, False)
    ids, flaws = judged(api, *interval)
    assert flaws or ids >= there


@given(worlds, intervals)
def test_a_listing_that_repeats(api: Api, interval: tuple[str | None, str | None]) -> None:
    """A listing that shows its first page for ever is left after a few pages,
    with a flaw unless that was all.
    """
    there, first = {t.task_id for t in api.within(*interval)}, list[Page]()

    def lie(page: Page, _: int) -> Page:
        first.append(page)
        return first[0]

    api.lie = lie
    sweep, _ = walk(api, *interval)
    assert len(api.asked) <= 5
    assert sweep.flaws() or sweep.ids >= there


def test_an_endless_stream_ends_the_walk() -> None:
    """An API that ignores end_time while others create without end is left, with the reason."""
    stream = [task(n, 20 + n, OTHERS) for n in range(100, 900)]
    api = Api([task(n, n) for n in range(6)], 2, bare=True, arriving=stream, heeds_end=False)
    sweep, _ = walk(api, None, at(12))
    assert sweep.flaws() == ["the listing does not go down from the end_time that was asked for"]


@given(worlds, intervals, st.integers(-3, 3).filter(bool))
def test_a_wrong_total(api: Api, interval: tuple[str | None, str | None], by: int) -> None:
    """A total that is too small or too large is a flaw, whatever was shown."""
    api.bare = False
    api.lie = lambda page, _: replace(page, total=(page.total or 0) + by)
    sweep, _ = walk(api, *interval)
    assert len(sweep.flaws()) == 1
    assert "and says that there are" in sweep.flaws()[0]


@given(worlds, intervals, st.data())
def test_a_known_task_that_is_missing(
    api: Api, interval: tuple[str | None, str | None], data: st.DataObject
) -> None:
    """A task that we know and that the listing lacks, total and all, is a flaw that names it."""
    assume(there := api.within(*interval))
    gone = data.draw(st.sampled_from(there))
    api.tasks.remove(gone)
    sweep, _ = walk(api, *interval, {gone.task_id: AttemptKey(RowNumber(0), Attempt(1))})
    assert sweep.flaws() == [f"the listing lacks 1 known task, such as {gone.task_id}"]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (None, "the listing does not show the callback addresses of tasks"),
        ("https://elsewhere.test/", "the listing does not show the callback addresses of tasks"),
        (
            write("https://c.test", KEY, OTHERS, RowNumber(2), Attempt(1)),
            "the listing does not show the callback addresses of tasks",
        ),
        (
            write("https://c.test", KEY, OURS, RowNumber(2), Attempt(2)),
            "task task-002 is shown with another address than the one it was created with",
        ),
    ],
)
@given(limit=limits, bare=st.booleans())
def test_a_known_task_with_another_address(url: str | None, said: str, limit: int, bare: bool) -> None:
    """A known task whose address is missing or changed shows that addresses cannot be relied on."""
    there = [task(n, n // 2) for n in range(5)]
    there[2] = there[2]._replace(callback_url=url)
    sweep, _ = walk(
        Api(there, limit, bare),
        None,
        None,
        {t.task_id: AttemptKey(RowNumber(n), Attempt(1)) for n, t in enumerate(there)},
    )
    assert sweep.flaws() == [said]


def test_an_address_without_our_signature() -> None:
    """A forged address is shown as not genuine and kept by its place: neither presence nor absence."""
    sweep, [mine, forged] = walk(Api([task(1, 1), task(2, 0, key=FOREIGN)], 10), None, None)
    assert (mine.genuine, mine.place, forged.genuine, forged.place) == (
        True,
        AttemptKey(RowNumber(1), Attempt(1)),
        False,
        AttemptKey(RowNumber(2), Attempt(1)),
    )
    assert (sweep.forged, sweep.ours, sweep.flaws()) == ({AttemptKey(RowNumber(2), Attempt(1))}, 2, [])


def test_a_known_task_needs_no_signature() -> None:
    """A task that we know, at the address where we know it, is ours although its mac cannot be checked."""
    there = Api([task(2, 0, key=FOREIGN)], 10)
    sweep, [sight] = walk(there, None, None, {"task-002": AttemptKey(RowNumber(2), Attempt(1))})
    assert (sight.genuine, sweep.forged, sweep.flaws()) == (True, set(), [])
    sweep, [sight] = walk(there, None, None, {"task-002": AttemptKey(RowNumber(2), Attempt(2))})
    assert (sight.genuine, sweep.forged) == (False, {AttemptKey(RowNumber(2), Attempt(1))})


def test_what_is_listed_without_an_address_is_noted() -> None:
    """A task that shows no callback address may be anybody's, ours too: its type is kept;
    another's address is known.
    """
    there = [task(2, 2), task(1, 1)._replace(callback_url=None, type="annotating"), task(0, 0)]
    sweep, _ = walk(Api(there, 10), None, None)
    assert sweep.bare == {"annotating"}


def test_a_walk_that_was_not_finished() -> None:
    """As long as there is a page to ask for, nothing is proved; after the last one nothing is taken in."""
    sweep = Sweep(OURS, lambda *_: True, None, None)
    assert sweep.flaws() == ["the listing was not walked to its end"]
    walked, _ = walk(Api([], 10), None, None)
    assert walked.flaws() == []
    with pytest.raises(AssertionError, match="ended"):
        list(walked.add(Page((), (), 0, False, 100, 0)))


def test_pages_go_by_key_and_by_offset_only_inside_one_instant() -> None:
    """The next page ends where the last one did, inclusive;
    an offset is used only where one instant fills a page.
    """
    api = Api([task(0, 5), *(task(n, 3) for n in range(1, 6)), task(6, 1)], 2)
    walk(api, at(0), at(9))
    asked = [(query.end, query.offset) for query in api.asked]
    assert asked == [(at(9), 0), (at(3), 0), (at(3), 2), (at(3), 4), (at(1), 0)][: len(asked)]
    assert {query.start for query in api.asked} == {at(0)}


def test_times_finer_than_the_filters_may_stand_in_any_order() -> None:
    """Within a millisecond the API may list as it likes: no flaw."""
    close = [task(n, 3)._replace(created_at=f"2026-11-24T00:00:03.0001{n}0Z") for n in range(3)]
    page = Page(tuple(close), ({},) * 3, 3, True, 3, 0, None, 3)
    sweep = Sweep(OURS, lambda *_: True, None, at(9))
    assert len(list(sweep.add(page))) == 3
    assert sweep.query == Query(None, close[-1].created_at, 0)


@pytest.mark.parametrize(("apart", "is_flaw"), [(0.0009, False), (0.001, True), (0.0015, True)])
def test_what_the_filters_tell_apart_goes_down(apart: float, is_flaw: bool) -> None:
    """Tasks a millisecond apart or more stand in the order of their times, or the listing proves nothing."""
    page = Page((task(0, 3), task(1, 3 + apart)), ({},) * 2, 4, True, 2, 0, None, 2)
    page = replace(page, tasks=(page.tasks[0], page.tasks[1]._replace(created_at=_finely(3 + apart))))
    sweep = Sweep(OURS, lambda *_: True, None, at(9))
    list(sweep.add(page))
    assert (sweep.query is None) is is_flaw


def _finely(second: float) -> str:
    """A time to the microsecond."""
    return (EPOCH + timedelta(seconds=second)).isoformat()


@pytest.mark.parametrize("created", [None, "yesterday"])
@pytest.mark.parametrize("end", [None, at(9)])
def test_no_step_is_made_from_a_date_that_cannot_be_read(created: str | None, end: str | None) -> None:
    """Where the last task of a page has no date the walk ends and says so: no page is asked for by that."""
    page = Page((task(0, 3), task(1, 2)._replace(created_at=created)), ({},) * 2, 4, True, 2, 0, None, 2)
    sweep = Sweep(OURS, lambda *_: True, None, end)
    list(sweep.add(page))
    assert sweep.query is None
    assert sweep.flaws()[0] == "a date of the listing cannot be read"
