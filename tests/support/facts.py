"""Facts by hypothesis: any that may stand on disk, and histories of a small batch."""

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from mwbatch.core.codec.ids import Attempt, Kid, RowNumber
from mwbatch.core.codec.json_codec import Json
from mwbatch.core.facts.digests import digest
from mwbatch.core.facts.kinds import Fact, Failed, Planned, Retried, Seen, Started, Verdict, Via, Withdrawn
from mwbatch.core.state.row_status import Row
from mwbatch.core.state.task_state import Shared, TaskState

ROWS = 3
ATTEMPTS = 4


def _joined(text: str) -> str:
    """The text as JSON can say it: a high and a low surrogate side by side are one character."""
    return str(json.loads(json.dumps(text)))


characters = st.characters(exclude_categories=()) | st.sampled_from('",:{}[]\\\n\t\u2028\ud83d\x00')
texts = st.text(characters, max_size=12).map(_joined)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
values: st.SearchStrategy[Json] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(texts, values, max_size=4)
moments = st.floats(0, 4e9)
numbers = st.integers(0, 10**9)
attempts = st.integers(1, 99)
bodies = st.builds(
    lambda value, indent, ascii_only: json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode(),
    st.recursive(
        st.text(max_size=8), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=6
    ),
    st.sampled_from([None, 1, "\t"]),
    st.booleans(),
)
"""JSON texts as a caller may send them, with newlines and tabs between the tokens."""

planned = st.builds(
    Planned, moments, numbers, texts, numbers, texts, objects, objects, st.just(0) | st.integers(0, 10**6)
)
started = st.builds(
    Started,
    moments,
    st.lists(st.tuples(numbers, numbers), max_size=3).map(tuple),
    attempts,
    *[texts] * 4,
    st.none() | texts,
    st.lists(st.tuples(numbers, numbers), max_size=2).map(tuple),
    numbers,
)
seen = st.builds(
    Seen,
    moments,
    numbers,
    attempts,
    texts,
    texts,
    st.sampled_from(Via),
    *[st.none() | texts] * 4,
    st.none() | bodies,
)
failed = st.builds(
    Failed,
    moments,
    numbers,
    attempts,
    texts | st.sampled_from(Verdict),
    st.booleans(),
    st.none() | st.integers(100, 599),
    texts,
)
retried = st.builds(Retried, moments, numbers, attempts)
withdrawn = st.builds(Withdrawn, moments, numbers, attempts)
facts: st.SearchStrategy[Fact] = st.one_of(planned, started, seen, failed, retried, withdrawn)
"""Any fact."""


def plan(row: int) -> Planned:
    """The plan of one row."""
    return Planned(
        0.0,
        RowNumber(row),
        f"id-{row}",
        row + 2,
        "tagging",
        {"image_url": f"https://images.test/{row}.jpg"},
        {},
    )


def start(attempt: int, rows: tuple[tuple[int, int], ...] = ((0, 1),)) -> Started:
    """An attempt of some rows: of row 0 unless others are named."""
    return Started(0.0, rows, Attempt(attempt), "https://calls.test", "https://api.test", "0" * 8, Kid("k1"))


def show(
    attempt: int,
    status: str = "pending",
    task: str = "",
    row: int = 0,
    created: str | None = None,
    via: Via = Via.LIST,
) -> Seen:
    """A task without an answer; one of its own for each attempt unless it is named."""
    return Seen(0.0, RowNumber(row), Attempt(attempt), task or _own(row, attempt), status, via, created)


def _own(row: int, attempt: int) -> str:
    """The id of the task that an attempt made."""
    return f"task-{row}-{attempt}" if row else f"task-{attempt}"


def call(attempt: int, status: str = "pending", task: str = "", row: int = 0) -> Seen:
    """A callback that brings no answer."""
    return show(attempt, status, task, row, via=Via.CALLBACK)


def answer(
    attempt: int,
    says: str = "yes",
    at: str | None = "2024-01-01",
    task: str = "",
    row: int = 0,
    via: Via = Via.CALLBACK,
) -> Seen:
    """An answer, as a callback brings it unless another way is named."""
    name, body = task or _own(row, attempt), json.dumps({"response": says}).encode()
    return Seen(
        0.0,
        RowNumber(row),
        Attempt(attempt),
        name,
        "completed",
        via,
        None,
        at,
        digest(says),
        f"sha-{says}-{at}",
        body,
    )


def fail(attempt: int, *, final: bool = False, row: int = 0, denied: bool = False) -> Failed:
    """An attempt that made no task."""
    verdict = Verdict.REFUSED if final else Verdict.DENIED if denied else Verdict.ABSENT
    return Failed(0.0, RowNumber(row), Attempt(attempt), verdict, final)


def retry(attempt: int, row: int = 0) -> Retried:
    """The user opens an attempt."""
    return Retried(0.0, RowNumber(row), Attempt(attempt))


def withdraw(attempt: int, row: int = 0) -> Withdrawn:
    """The user forbids an attempt."""
    return Withdrawn(0.0, RowNumber(row), Attempt(attempt))


_row = st.integers(0, ROWS - 1)
_attempt = st.integers(1, ATTEMPTS)
_task = st.sampled_from(["", "", "a", "b"])
_time = st.sampled_from([None, "", "2024-01-01", "2024-01-02"])
_ranges = st.sampled_from([((0, 1),), ((0, 3),), ((1, 2),), ((0, 1), (2, 3)), ((2, 3),)])
_status = st.sampled_from(["pending", "canceled", "canceled", "completed", "in review"])
_via = st.sampled_from([Via.CALLBACK, Via.CALLBACK, Via.LIST, Via.GET])
_showing = st.sampled_from([Via.LIST, Via.CREATE])

anybodys_answers = st.builds(answer, _attempt, st.sampled_from("xyz"), _time, _task, _row, _via)
anybodys_steps: st.SearchStrategy[Fact] = st.one_of(
    st.builds(plan, _row),
    st.builds(start, _attempt, _ranges),
    st.builds(start, _attempt, _ranges),
    st.builds(show, _attempt, _status, _task, _row, _time, _showing),
    st.builds(show, _attempt, _status, _task, _row, _time, st.just(Via.CALLBACK)),
    st.builds(fail, _attempt, final=st.booleans(), row=_row),
    st.builds(fail, _attempt, row=_row, denied=st.just(True)),
    st.builds(retry, _attempt, _row),
    st.builds(withdraw, _attempt, _row),
)
"""What may happen to a small batch, answers left out; tasks may show at several rows."""


def _own_task(fact: Any) -> Any:
    """The same of a task that shows at no other row."""
    if not isinstance(fact, Seen) or len(fact.task_id) > 1:
        return fact
    return fact._replace(task_id=f"{fact.task_id}-{fact.row}")


answers = anybodys_answers.map(_own_task)
steps = anybodys_steps.map(_own_task)
"""What may happen to a small batch, answers left out."""

unanswered = st.lists(steps, max_size=14)
histories = st.lists(steps | answers, max_size=14)
mixed_up = st.lists(anybodys_steps | anybodys_answers, max_size=14)
"""Histories in which one task may show at several rows."""


def link(rows: Mapping[int, Row]) -> None:
    """Let rows that are objects know of the tasks that they share, as those of a batch do."""
    there: defaultdict[str, list[TaskState]] = defaultdict(list)
    for row in rows.values():
        for task in row.tasks.values():
            there[task.task_id].append(task)
    for tasks in there.values():
        if len(tasks) > 1:
            shared = Shared()
            for task in tasks:
                shared.take(task)
