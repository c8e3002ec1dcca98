"""Histories in which most rows are on the straight path for most of the time,
and what the fold makes of any.
"""

from collections import defaultdict
from hashlib import sha256

from hypothesis import strategies as st

from mwbatch.core.codec.ids import Attempt, RowNumber, Strange
from mwbatch.core.facts.digests import digest
from mwbatch.core.facts.kinds import Fact, Seen, Started, Via
from mwbatch.core.state.row_status import Row
from tests.support.facts import ROWS, histories, link, mixed_up, plan, start, steps

TIMES = [None, "", "2026-11-25T00:00:00.000Z", "2026-11-25T00:00:00.001Z", "0999-01-01T00:00:00.000Z", "noon"]


def in_columns(
    row: int,
    task: str,
    status: str,
    created: str | None,
    says: str,
    at: str | None,
    via: Via = Via.LIST,
) -> Seen:
    """A showing as the API makes them; ``says`` nothing: without an answer."""
    body = b'{"response":"%b"}' % says.encode()
    kept = (digest(says), sha256(body + str(at).encode()).hexdigest(), body) if says else (None, None, None)
    return Seen(0.0, RowNumber(row), Attempt(1), task, status, via, created, at, *kept)


showings = st.builds(
    in_columns,
    st.integers(0, ROWS - 1),
    st.sampled_from(["wjTSaCS9sq5AnvEzM", "wjTSaCS9sq5AnvEzM", "576ba74eec471ff9b01557cc", "é"]),
    st.sampled_from(["pending", "pending", "completed", "canceled", ""]),
    st.sampled_from(TIMES),
    st.sampled_from(["", "yes", "no"]),
    st.sampled_from(TIMES),
    st.sampled_from([*Via, *[Via.CALLBACK] * 4, Strange("word of mouth")]),
)
plain = st.builds(plan, st.integers(0, ROWS - 1)) | st.builds(
    start, st.just(1), st.sampled_from([((0, 1),), ((0, 3),), ((1, 3),)])
)
stories = st.lists(st.one_of(plain, plain, showings, showings, steps), max_size=14) | histories | mixed_up
"""Histories in which most rows are on the straight path for most of their time."""


def folded(history: list[Fact]) -> dict[int, Row]:
    """The rows as the law of one row has them, each an object."""
    rows: defaultdict[int, Row] = defaultdict(Row)
    for fact in history:
        if isinstance(fact, Started):
            for first, end in fact.rows:
                for number in range(first, end):
                    rows[number].started |= 1 << fact.attempt
        else:
            rows[fact.row].join(fact)
    link(rows)
    return dict(rows)
