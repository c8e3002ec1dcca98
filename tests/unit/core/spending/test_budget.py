"""Hard limits on what a batch may cost."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.facts.kinds import Fact
from mwbatch.core.spending.budget import Limits, Spent
from mwbatch.core.state.batch import Batch
from mwbatch.core.state.row_status import Status
from mwbatch.core.words.values import MOST_TASKS
from mwbatch.errors import BadValue
from tests.support.facts import answer, call, fail, histories, plan, show, start, steps

counts = st.none() | st.integers(0, 9)
amounts = st.none() | st.sampled_from([0.0, 0.08, 0.1, 1.0, 2.5])
limits = st.builds(Limits, counts, amounts, amounts)


@pytest.mark.parametrize(
    ("limit", "tasks"),
    [
        (Limits(), inf),
        (Limits(max_tasks=3), 3),
        (Limits(max_tasks=0), 0),
        (Limits(price=0.1, max_cost=0.3), 3),
        (Limits(price=0.08, max_cost=1.0), 12),
        (Limits(max_tasks=5, price=0.1, max_cost=0.3), 3),
        (Limits(max_tasks=2, price=0.1, max_cost=0.3), 2),
        (Limits(price=0.0, max_cost=1.0), 0),
        (Limits(max_cost=1.0), 0),
        (Limits(price=1e-320, max_cost=1.0), MOST_TASKS),
        (Limits(price=1e-9, max_cost=1e12), MOST_TASKS),
        (Limits.stored(max_tasks=10**23, price=-1.0), 10**23),
        (Limits.stored(max_tasks=-1), 0),
    ],
)
def test_the_lesser_limit_holds(limit: Limits, tasks: float) -> None:
    """The number of tasks, or what the money pays at the price, whichever is less; 0.3 pays three at 0.1."""
    assert limit.tasks == tasks


def test_spent_counts_every_task_and_every_doubt() -> None:
    """Each confirmed task counts, surplus and canceled ones too, and each attempt in doubt;
    a failed attempt does not.
    """
    seen = [show(1), show(1, task="twin"), show(2, "canceled")]
    assert Batch([plan(0), *seen, start(3), start(4), fail(4)]).spent() == 4


def test_strangers_cannot_spend() -> None:
    """However many tasks callbacks invent at an attempt, it counts once: one of them may be there."""
    invented = [call(1, task=name) for name in "abc"] + [answer(1, task=name) for name in "de"]
    assert Batch([plan(0), start(1), *invented]).spent() == 1
    assert Batch([plan(0), start(1), *invented, show(1)]).spent() == 1


@given(limits, histories, steps)
def test_spending_only_shrinks_what_is_left(limit: Limits, history: list[Fact], more: Fact) -> None:
    """What is left is what the limit allows less what was spent, never below zero."""
    batch = Batch(history)
    assert limit.left(batch) == max(0, limit.tasks - batch.spent())
    batch.add(more)
    assert limit.left(batch) >= 0


@given(limits, histories)
def test_a_reached_limit_is_raised_far_enough(limit: Limits, history: list[Fact]) -> None:
    """Where nothing more may be sent the options that raise the limit let every planned row be sent;
    else there are none.
    """
    batch = Batch(history)
    planned, words = batch.by_status()[Status.PLANNED], iter(limit.raised(batch).split())
    new = {name.strip("-").replace("-", "_"): value for name, value in zip(words, words, strict=True)}
    assert not (new and limit.left(batch))
    if planned and not limit.left(batch) and (limit.price or limit.max_cost is None):
        most = int(new["max_tasks"]) if "max_tasks" in new else None
        cost = float(new["max_cost"]) if "max_cost" in new else None
        assert limit.updated(Limits(most, None, cost)).left(batch) >= planned


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (Limits(max_tasks=1), "--max-tasks 3"),
        (Limits(price=0.333, max_cost=0.4), "--max-cost 1.00"),
        (Limits(max_tasks=1, price=1.0, max_cost=1.0), "--max-tasks 3 --max-cost 3.00"),
        (Limits(max_tasks=1, price=1.0, max_cost=3.0), "--max-tasks 3"),
        (Limits(max_tasks=3, price=1.0, max_cost=1.0), "--max-cost 3.00"),
        (Limits(max_tasks=2), ""),
        (Limits(price=1.0, max_cost=3.0), ""),
    ],
)
def test_the_options_that_raise_a_limit(limit: Limits, words: str) -> None:
    """Each limit that was reached is named with what all rows need; nothing is, while some may be sent."""
    batch = Batch([*map(plan, range(3)), start(1), show(1)])
    assert limit.raised(batch) == words


@given(histories)
def test_months_count_the_dated_tasks(history: list[Fact]) -> None:
    """Each confirmed task with a date counts in one month; whatever the order,
    and whether or not columns hold its row.
    """
    batch = Batch(history)
    dated = [task for _, task in batch.tasks() if task.confirmed and task.created_at]
    assert sum(batch.months().values()) == len(dated) <= batch.spent()
    assert batch.months() == Batch(reversed(history)).months()


def test_a_month_is_that_of_the_api() -> None:
    """Tasks are counted in the month in which the API says that they were made, in its own time;
    rubbish is in none.
    """
    times = [
        "2026-10-31T23:59:59.999Z",
        "2026-11-01T00:00:00.000Z",
        "2026-12-01T01:00:00+02:00",
        "soon",
        None,
    ]
    made = [show(1, row=row, created=time) for row, time in enumerate(times)]
    batch = Batch([*map(plan, range(6)), *made, call(1, row=5)])
    assert batch.months() == {"2026-10": 1, "2026-11": 2}


@pytest.mark.parametrize(
    ("spent", "words"),
    [
        (Spent(), ""),
        (Spent(limits=Limits(price=0.1)), ""),
        (Spent(1), "1 task so far"),
        (Spent(2000, limits=Limits(price=0.1)), "2,000 tasks so far, about 200.00"),
        (Spent(2, limits=Limits(5)), "2 of at most 5 tasks so far (--max-tasks)"),
        (Spent(2, limits=Limits(None, 0.1, 3)), "2 tasks so far, 0.20 of at most 3.00 (--max-cost)"),
        (Spent(2, limits=Limits.stored(max_cost=3.0)), "2 tasks so far, 0.00 of at most 3.00 (--max-cost)"),
        (Spent(limits=Limits(5)).priced(None), "0 of at most 5 tasks so far (--max-tasks)"),
        (Spent(2).priced(0.5), "2 tasks so far, about 1.00"),
    ],
)
def test_what_is_spent_in_words(spent: Spent, words: str) -> None:
    """What was spent, and what may be by which option; nothing while there is neither."""
    assert spent.text() == words


@given(limits, limits)
def test_an_update_replaces_what_it_names(old: Limits, new: Limits) -> None:
    """Each limit is the new one where the new one is named, else the old one;
    what nobody could hold to is refused.
    """
    try:
        both = old.updated(new)
    except BadValue:
        costs, price = new.max_cost is not None or old.max_cost is not None, new.price
        assert costs
        assert not (old.price if price is None else price)
        return
    assert both.max_cost is None or both.price
    for name in ("max_tasks", "price", "max_cost"):
        named = getattr(new, name)
        assert getattr(both, name) == (getattr(old, name) if named is None else named)
