"""A start is new once: however its rows lie to those that were started before."""

from hypothesis import example, given
from hypothesis import strategies as st

from mwbatch.core.facts.kinds import Started
from mwbatch.core.state.starts import Starts
from tests.support.facts import start

spans = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 6)), min_size=1, max_size=3)
starts = st.builds(
    lambda attempt, there: start(attempt, tuple((first, first + size) for first, size in there)),
    st.integers(1, 2),
    spans,
)


def attempts(started: Started) -> set[tuple[int, int]]:
    """Row and attempt of all that it starts."""
    return {(row, started.attempt) for first, end in started.rows for row in range(first, end)}


@example([], [(start(1, ((3, 3), (3, 4))), True), (start(1, ((4, 4),)), True)])
@given(st.lists(starts, max_size=6), st.lists(st.tuples(starts, st.booleans()), max_size=12))
def test_no_attempt_is_started_twice(before: list[Started], after: list[tuple[Started, bool]]) -> None:
    """A start is claimed where none of its rows' attempts was, and can be again once that was given back."""
    known, there = Starts(before), set[tuple[int, int]]().union(*map(attempts, before))
    for started, is_written in after:
        new = known.claim(started)
        assert new is not bool(there & attempts(started))
        if new and is_written:
            there |= attempts(started)
        elif new:
            known.give_back(started)
