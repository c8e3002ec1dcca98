"""Which task was named first for an attempt."""

from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.codec.json_codec import encode
from mwbatch.core.state.first_named import Named


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 3), st.sampled_from("ab")), max_size=30))
def test_the_first_task_counts(there: list[tuple[int, int, str]]) -> None:
    """Of each attempt the first task that was named is remembered, and any other is strange."""
    tasks = Named()
    first: dict[tuple[int, int], str] = {}
    for row, attempt, task in there:
        known = first.setdefault((row, attempt), task)
        assert tasks.note(RowNumber(row), Attempt(attempt), encode(task)) is (known != task)
