"""Walks through a listing: one rule says when they lead nowhere."""

from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.api.walk import MAX_IDLE_PAGES, ListedTasks


@given(st.lists(st.lists(st.integers(0, 9).map(str), max_size=4), max_size=30))
def test_what_is_new_leads_on(pages: list[list[str]]) -> None:
    """Each task is new once; a walk leads nowhere after so many pages in a row, and no fewer,
    that bring nothing new.
    """
    shown, seen, idle = ListedTasks(), set[str](), 0
    for page in pages:
        new = [task for task in page if shown.is_new(task)]
        assert new == [*dict.fromkeys(task for task in page if task not in seen)]
        seen.update(new)
        idle = 0 if new else idle + 1
        assert (len(shown), shown.leads_nowhere()) == (len(seen), idle >= MAX_IDLE_PAGES)
