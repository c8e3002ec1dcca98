"""The sweep where dates say nothing: by offset from the first page to the last;
and what two walks may differ in.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.api.page import Page
from mwbatch.core.api.walk import MAX_IDLE_PAGES
from mwbatch.core.codec.times import moment
from mwbatch.core.sweeps.sweep import Query, Sweep
from tests.unit.core.sweeps.test_sweep import (
    KEY,
    OTHERS,
    OURS,
    Api,
    arrivals,
    at,
    emptied,
    limits,
    spoilt,
    task,
    tasks,
)

worlds = st.builds(Api, tasks, limits, st.booleans(), arrivals)


def walk(api: Api, *, dated: bool = False, now: str | None = None) -> Sweep:
    """Walk the whole listing."""
    sweep = Sweep(OURS, lambda _, address: address.signed_by(KEY), None, None, dated=dated, now=moment(now))
    while sweep.query is not None:
        assert dated or (sweep.query.start, sweep.query.end) == (None, None)
        list(sweep.add(api.page(sweep.query)))
    return sweep


def judged(api: Api) -> list[str]:
    """Why two walks prove nothing."""
    first = walk(api)
    if flaws := first.flaws():
        return flaws
    second = walk(api)
    return second.flaws() or [flaw for flaw in ["the two differ"] if not second.lists_as(first)]


@given(worlds)
def test_an_honest_listing_is_shown_whole(api: Api) -> None:
    """Each task that was there when the walk began is shown, whatever its date,
    whoever else creates meanwhile.
    """
    there = {task.task_id for task in api.tasks}
    api.tasks = [task._replace(created_at=None) if n % 3 else task for n, task in enumerate(api.tasks)]
    api.limit += 1
    del api.arriving[2:]  # or they would push the same task on and on: a listing that repeats itself
    api.page = undated(api)  # type: ignore[method-assign, assignment]
    sweep = walk(api)
    assert (sweep.flaws(), sweep.undated) == ([], False)
    assert all(sweep.shows(task_id) for task_id in there)


def undated(api: Api) -> Callable[[Query], Page]:
    """The pages of an API that knows no dates: the newest first, in the order in which tasks came."""

    def page(query: Query) -> Page:
        there = list(reversed(api.tasks))
        offset = query.offset
        shown = tuple(there[offset : offset + api.limit])
        total, more = len(there), offset + len(shown) < len(there)
        api.tasks += api.arriving[:1]
        del api.arriving[:1]
        page = Page(shown, ({},) * len(shown), total, more, api.limit, offset, None, len(shown))
        return replace(page, total=None, has_more=None) if api.bare else page

    return page


@pytest.mark.parametrize("change", [emptied, spoilt])
@given(worlds, st.integers(1, 8))
def test_a_page_that_lies(change: Callable[[Page], Page], api: Api, which: int) -> None:
    """A page that is left out or unreadable makes a flaw, unless everything was shown in spite of it."""
    there = {task.task_id for task in api.tasks}
    api.lie = lambda page, number: change(page) if number == which else page
    first = walk(api)
    flaws, second = first.flaws(), walk(api)
    flaws += second.flaws() + [flaw for flaw in ["the two differ"] if not second.lists_as(first)]
    assert flaws or all(second.shows(task_id) for task_id in there)


@given(limits, st.booleans(), st.integers(1, 30))
def test_a_listing_that_ignores_the_offset(limit: int, bare: bool, count: int) -> None:
    """A listing that shows its first page for ever is left after a few pages,
    with a flaw unless that was all.
    """
    api = Api([task(n, n) for n in range(count)], limit, bare=bare, heeds_offset=False)
    honest = api.page
    api.page = lambda query: replace(honest(query), has_more=True)  # type: ignore[method-assign]
    sweep = walk(api)
    assert len(api.asked) <= 1 + MAX_IDLE_PAGES
    assert sweep.flaws() == ["the listing repeats itself", *_short(sweep, count, bare=bare)]


def _short(sweep: Sweep, count: int, *, bare: bool) -> list[str]:
    wrong = not bare and sweep.tasks != count
    shown = "1 task" if sweep.tasks == 1 else f"{sweep.tasks} tasks"
    return [f"the listing shows {shown} and says that there are {count}"] * wrong


@given(st.integers(0, 5), st.integers(0, 5))
def test_what_comes_meanwhile_is_no_flaw(before: int, during: int) -> None:
    """By offset a walk may show as many tasks as there were, up to as many as there are when it ends;
    no others.
    """
    pages = [
        Page(tuple(task(n, n) for n in range(before)), ({},) * before, before, True, 100, 0, None, 1),
        Page(
            tuple(task(n, n) for n in range(50, 50 + during)),
            ({},) * during,
            before + 2,
            False,
            100,
            0,
            None,
            1,
        ),
    ]
    sweep = Sweep(OURS, lambda *_: True, None, None, dated=False)
    for page in pages:
        list(sweep.add(page))
    assert (sweep.flaws() == []) is (during <= 2)


def test_two_walks_by_offset_may_show_more_the_second_time() -> None:
    """What the first walk showed the second must show; where there is no total, nothing else."""
    api = Api([task(n, n) for n in range(5)], 2)
    first, same = walk(api), walk(api)
    api.tasks.append(task(9, 9, OTHERS))
    more = walk(api)
    assert (same.lists_as(first), more.lists_as(first), first.lists_as(more)) == (True, True, False)
    api.bare = True
    bare = walk(api)
    assert (bare.lists_as(first), bare.lists_as(more)) == (False, True)


def test_two_walks_by_dates_may_differ_in_what_is_newer() -> None:
    """What others create after the walk began stands before everything else; any other difference is one."""
    api = Api([task(n, n) for n in range(5)], 2, bare=True)
    first = walk(api, dated=True, now=at(4))
    api.tasks.append(task(8, 8, OTHERS))
    second = walk(api, dated=True, now=at(4))
    assert (first.newer, second.newer) == (0, 1)
    assert (second.lists_as(first), first.lists_as(second)) == (True, True)
    assert not walk(api, dated=True).lists_as(first)
    del api.tasks[2]
    assert not walk(api, dated=True, now=at(4)).lists_as(second)
    assert not second.lists_as(walk(api, dated=True, now=at(4)))
