"""What was asked for more than once: the audit equals a naive count."""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.codec.ids import Attempt
from mwbatch.core.facts.digests import SIZE
from mwbatch.core.report import audit as module
from mwbatch.core.report.audit import Audit, distinct
from mwbatch.core.state.row_status import Row
from mwbatch.core.state.task_state import TaskState
from mwbatch.core.words.since import moment_of
from mwbatch.errors import UsageError

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)

rows = st.tuples(
    st.integers(0, 5), st.lists(st.sampled_from(["pending", "completed", "canceled"]), max_size=2)
)
batches = st.lists(st.lists(rows, max_size=5), max_size=3)
strangers = st.lists(st.tuples(st.integers(0, 8), st.booleans()), max_size=3)


def digest(asked: int) -> bytes:
    """One for each thing that can be asked."""
    return asked.to_bytes(SIZE)


def row_of(tasks: list[str], name: str) -> Row:
    """A row with tasks in these statuses."""
    return Row(
        tasks={f"{name}-{n}": TaskState(f"{name}-{n}", Attempt(1), status) for n, status in enumerate(tasks)}
    )


@given(batches, strangers)
def test_it_is_the_naive_count(
    there: list[list[tuple[int, list[str]]]], account: list[tuple[int, bool]]
) -> None:
    """A request with more than one task that was not canceled is told, with each of its tasks,
    wherever they are.
    """
    audit, paid, tasks = Audit(), Counter[int](), defaultdict[int, set[str]](set)
    for batch in there:
        audit.learn((number, digest(asked)) for number, (asked, _) in enumerate([*batch]))
    known = {asked for batch in there for asked, _ in batch}
    for n, (asked, ours) in enumerate(account):
        # A task of ours is shown without its address: the first of the first row that asks for it,
        # if there is one.
        mine = [
            f"{b}-{r}-0"
            for b, batch in enumerate(there)
            for r, (what, has) in enumerate(batch)
            if what == asked and has and has[0] != "canceled"
        ]
        name = mine[0] if ours and mine else f"s{n}"
        audit.strange(digest(asked), (name, "", "pending"))
        if asked in known and name not in mine:
            paid[asked] += 1
            tasks[asked].add(name)
    for b, batch in enumerate(there):
        made = {r: row_of(has, f"{b}-{r}") for r, (_, has) in enumerate(batch)}
        doubled = {r for r, (_, has) in enumerate(batch) if sum(one != "canceled" for one in has) > 1}
        audit.count(b, ((r, digest(asked)) for r, (asked, _) in enumerate(batch)), made.__getitem__, doubled)
        for r, (asked, has) in enumerate(batch):
            paid[asked] += sum(one != "canceled" for one in has)
            tasks[asked] |= {f"{b}-{r}-{n}" for n, one in enumerate(has) if one != "canceled"}
    audit.finish()
    again = {asked: count for asked, count in paid.items() if count > 1}
    assert (audit.requests, audit.beyond) == (len(again), sum(again.values()) - len(again))
    found = [
        (
            count,
            sorted(
                {t for held in request.rows for t, said in held.tasks if said != "canceled"}
                | {t for t, _, _ in request.strange}
            ),
        )
        for count, request in audit.told()
    ]
    assert sorted(found) == sorted((count, sorted(tasks[asked])) for asked, count in again.items())


def test_only_so_many_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond so many requests they are counted and no longer told one by one."""
    monkeypatch.setattr(module, "MOST", 2)
    audit, asked = Audit(), [(n, digest(n)) for n in range(4)]
    for _ in range(2):
        audit.learn(asked)
    for number, one in asked:
        audit.strange(one, (f"s{number}", "", "pending"))
    for batch in range(2):
        audit.count(batch, asked, lambda n, batch=batch: row_of(["pending"], f"{batch}-{n}"), set())  # type: ignore[misc]
    audit.finish()
    assert (audit.requests, len(list(audit.told()))) == (4, 2)


def test_a_batch_may_grow_meanwhile() -> None:
    """What is planned between learning and counting is left to the next audit: no lock is taken."""
    audit = Audit()
    audit.learn([(0, digest(1)), (1, digest(1))])
    audit.count(
        0, [(0, digest(1)), (1, digest(1)), (2, digest(2))], lambda n: row_of(["pending"], f"{n}"), {2}
    )
    assert (audit.requests, audit.beyond) == (1, 1)


def test_a_row_counts_once() -> None:
    """A row that was planned once more for a fresh URL is one row."""
    assert list(distinct([(3, b"a"), (0, b"b"), (3, b"a")])) == [(3, b"a"), (0, b"b")]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("30d", NOW - timedelta(days=30)),
        ("12h", NOW - timedelta(hours=12)),
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T06:00:00+02:00", datetime(2026, 11, 1, 4, tzinfo=UTC)),
    ],
)
def test_since_when(text: str, meant: datetime) -> None:
    """So many days or hours before now, or a time, in UTC where it names no zone."""
    assert moment_of(text, NOW) == meant


@pytest.mark.parametrize("text", ["", "monday", "30", "-3d", "999999d", "d"])
def test_what_means_no_time(text: str) -> None:
    """Anything else is refused, with what would do."""
    with pytest.raises(UsageError, match="30d, 12h"):
        moment_of(text, NOW)
