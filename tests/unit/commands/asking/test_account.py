"""The account's listing is looked through for rows that were asked for elsewhere."""

from typing import Any

import pytest

from mwbatch.commands.asking.account import look_through
from mwbatch.core.api.task import Task
from tests.support.virtual import virtual
from tests.unit.commands.conftest import Stage
from tests.unit.commands.settling.test_settling import twist

SINCE = "2023-11-13T22:13:27.000Z"
"""A day before the listing is asked for, by the API's clock."""

TOLD = f"looking through 150 tasks of the account since {SINCE}: 2 pages, about 0 s"
UNCOUNTED = f"looking through the account's tasks since {SINCE}; the API does not say how many there are"


@pytest.mark.parametrize(("counted", "told"), [(True, TOLD), (False, UNCOUNTED)])
@virtual
async def test_a_large_account_is_told_of_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, counted: bool, told: str
) -> None:
    """Before many pages are asked for people read how many, or that nobody knows: once,
    and each task is taken once.
    """
    for number in range(150):
        await stage.client.create_tagging_task(f"https://images.test/{number}", "https://others.test/hook")
    total: dict[str, Any] = {} if counted else {"total": None}
    twist(stage, monkeypatch, lambda page, _: page | total)
    taken = list[Task]()
    assert await look_through(stage.client, taken.extend, "1d", stage.context) == ""
    assert [note for note in stage.context.tally.notes if "looking" in note] == [told]
    assert len({task.task_id for task in taken}) == len(taken) == 150


@virtual
async def test_an_empty_account_that_counts_nothing_lacks_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there are no tasks, and nobody says so, none is missed."""
    twist(stage, monkeypatch, lambda page, _: page | {"total": None})
    assert await look_through(stage.client, lambda _: None, "1d", stage.context) == ""


@virtual
async def test_one_task_that_is_not_shown_is_told(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A listing that shows one less than there are is not taken for whole."""
    await stage.client.create_tagging_task("https://images.test/1", "https://others.test/hook")
    twist(stage, monkeypatch, lambda page, _: page | {"total": 2})
    told = await look_through(stage.client, lambda _: None, "1d", stage.context)
    assert told == "the listing shows 1 task and says that there are 2"
