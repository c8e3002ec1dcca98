"""The state machine, over virtual time."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.simulator import Callback, Draft, Fault, Refusal, Settings, Size, World, cancel, create, retrieve
from mwbatch.simulator.world.forms import Marked, Params
from mwbatch.simulator.world.life import Event
from mwbatch.simulator.world.shelf import View
from mwbatch.simulator.world.tasks import flat, nested
from mwbatch.simulator.world.world import MAX_TRIES, TRY_AFTER
from tests.unit.simulator.conftest import always

NOON = 1_492_171_200.0
SETTINGS = Settings(complete_after=(10.0, 20.0))


def draft(number: int = 1) -> Draft:
    """Give a tagging request with an address of its own."""
    params: Params = {"objects_to_tag": "brands", "image_url": f"http://127.0.0.1/pictures/{number:04d}.png"}
    return Draft("tagging", f"http://a.invalid/{number}", params)


def made(*faults: Fault, size: Size | None = None, times: int = 1) -> World:
    """Give a world in which one create request was made at noon, befallen by ``faults``."""
    world = World(always(SETTINGS, *faults, size=size), NOON)
    for number in range(times):
        create(world, draft(number), NOON)
    return world


def calls(world: World, now: float) -> list[Callback]:
    """Take and acknowledge what is due."""
    taken = world.due(now)
    for callback in taken:
        world.settle(callback, acknowledged=True, now=now)
    return taken


def test_a_task_completes_in_time() -> None:
    """A task is completed between the least and the greatest time, and its callback is due at once."""
    world = made()
    at = world.next_event_at()
    assert at is not None
    assert NOON + 10 <= at <= NOON + 20
    assert not world.due(at - 0.001)
    assert [callback.url for callback in world.due(at)] == ["http://a.invalid/0"]


def test_time_scale_shortens_a_completion() -> None:
    """A thousand simulated seconds a second complete a task a thousand times sooner."""
    world = World(replace(SETTINGS, time_scale=1000.0), NOON)
    assert world.create(draft(), NOON).due_at <= NOON + 0.02


def test_interleaving_changes_nothing() -> None:
    """A task's id and completion depend on its address, not on the tasks before it."""
    one, other = World(SETTINGS, NOON), World(SETTINGS, NOON)
    ids = [one.create(draft(n), NOON).task_id for n in range(5)]
    backwards = [other.create(draft(n), NOON).task_id for n in reversed(range(5))]
    assert ids == backwards[::-1]


def test_a_callback_is_tried_twenty_times_in_a_day() -> None:
    """A callback that nobody acknowledges is sent 20 times over 24 hours, and then given up."""
    world, sent = made(), []
    while (at := world.next_event_at()) is not None:
        for callback in world.due(at):
            sent.append(at)
            world.settle(callback, acknowledged=False, now=at)
    (task,), _ = world.shelf.page(View(), 1, 0)
    assert (len(sent), task.callback_succeeded) == (MAX_TRIES, False)
    assert sent[-1] - sent[0] == pytest.approx(86_400) == pytest.approx(sum(TRY_AFTER))


def test_an_acknowledged_callback_is_not_sent_again() -> None:
    """One 2xx settles a callback."""
    world = made()
    assert len(calls(world, NOON + 20)) == 1
    assert world.next_event_at() is None


def test_a_canceled_task_calls_nobody() -> None:
    """A canceled task is never completed, and canceling it again changes nothing."""
    world = World(SETTINGS, NOON)
    task = world.create(draft(), NOON)
    assert world.cancel(task.task_id, NOON + 1) is world.cancel(task.task_id, NOON + 2)
    assert not world.due(NOON + 99)
    assert (task.status, task.ended_at) == ("canceled", NOON + 1)


def test_a_completed_task_cannot_be_canceled() -> None:
    """Canceling a completed task is refused with 500, an unknown one with 404."""
    world = World(SETTINGS, NOON)
    task = world.create(draft(), NOON)
    with pytest.raises(Refusal) as completed:
        world.cancel(task.task_id, NOON + 99)
    with pytest.raises(Refusal) as unknown:
        world.cancel("none", NOON + 99)
    assert (completed.value.status, unknown.value.status) == (500, 404)


@pytest.mark.parametrize(
    ("fault", "tasks"),
    [
        (Fault.BUSY, 0),
        (Fault.NOT_CREATED_500, 0),
        (Fault.NOT_CREATED_503, 0),
        (Fault.CREATED_500, 1),
        (Fault.CREATED_CUT, 1),
        (Fault.CREATED_TIMEOUT, 1),
        (Fault.CREATED_307, 1),
        (Fault.ANSWER_CUT, 1),
        (Fault.PROXIED_TWICE, 2),
    ],
)
def test_a_fault_makes_so_many_tasks(fault: Fault, tasks: int) -> None:
    """Whether a task exists behind a failure is the fault's own law."""
    stats = made(fault).stats()
    assert (stats["created"], stats["doubles"]) == (tasks, int(tasks == 2))


def test_a_late_creation_comes_later() -> None:
    """A task created behind a 504 exists some seconds later, and not before."""
    world = made(Fault.CREATED_LATE, size=Size(created_late_s=60))
    world.advance(NOON + 59.9)
    assert world.stats()["created"] == 0
    world.advance(NOON + 60)
    (task,), _ = world.shelf.page(View(), 1, 0)
    assert task.created_at == NOON + 60


def test_a_lost_callback_is_never_sent() -> None:
    """A lost callback is never due, and the task says that it failed."""
    world = made(Fault.CALLBACK_LOST)
    assert not calls(world, NOON + 99)
    (task,), _ = world.shelf.page(View(), 1, 0)
    assert (task.status, task.callback_succeeded) == ("completed", False)


def test_a_callback_may_come_twice() -> None:
    """A doubled callback is due twice, to the same address."""
    assert len({call.url for call in calls(made(Fault.CALLBACK_TWICE), NOON + 99)}) == 1
    assert len(calls(made(Fault.CALLBACK_TWICE), NOON + 99)) == 2


def test_a_wrong_address_settles_nothing() -> None:
    """A callback to a wrong address comes beside the right one and is not tried again."""
    world = made(Fault.CALLBACK_WRONG)
    wrong, right = world.due(NOON + 99)
    world.settle(wrong, acknowledged=False, now=NOON + 99)
    assert (wrong.copy, right.url, world.next_event_at()) == (True, "http://a.invalid/0", None)


def test_a_late_callback_waits() -> None:
    """A late callback is due some seconds after the completion."""
    world = made(Fault.CALLBACK_LATE, size=Size(callback_late_s=50))
    assert not world.due(NOON + 59)
    assert len(world.due(NOON + 70)) == 1


def test_an_early_callback_comes_with_the_creation() -> None:
    """An early callback is handed out before the create is answered, and never again."""
    world = World(always(SETTINGS, Fault.CALLBACK_EARLY), NOON)
    made = create(world, draft(), NOON)
    assert made.early is not None
    assert made.early.body()["response"]["tags"]
    assert not world.due(NOON + 99)


def test_completing_all_leaves_nothing_pending() -> None:
    """Everything pending can be completed at once, and each task calls back."""
    world = made(times=5)
    assert world.complete_all(NOON + 1) == 5
    assert len(calls(world, NOON + 1)) == 5
    assert world.stats()["by_status"] == {"pending": 0, "completed": 5, "canceled": 0}


def test_the_ledger_knows_doubles() -> None:
    """The ledger gives every task of an address, strangers aside."""
    world = World(replace(SETTINGS, strangers=3), NOON)
    first, second = world.create(draft(), NOON), world.create(draft(), NOON)
    calls(world, NOON + 99)
    ledger = dict(world.ledger())
    assert [entry["task_id"] for entry in ledger["http://a.invalid/1"]] == [first.task_id, second.task_id]
    assert [entry["attempts"] for entry in ledger["http://a.invalid/1"]] == [1, 1]
    assert (len(ledger), world.stats()["doubles"]) == (1, 1)


@given(st.lists(st.floats(0, 100), max_size=30), st.integers(1, 7))
def test_pages_cover_the_shelf(ages: list[float], limit: int) -> None:
    """Pages by offset show every task once, newest first, ties by task_id."""
    world = World(replace(SETTINGS, complete_after=(1e6, 1e6)), NOON)
    for number, age in enumerate(sorted(ages)):
        world.create(draft(number), NOON + age)
    shown = [task for start in range(0, 30, limit) for task in world.shelf.page(View(), limit, start)[0]]
    keys = [(task.created_at, task.task_id) for task in shown]
    assert keys == sorted(keys, reverse=True)
    assert len(set(keys)) == len(ages)


@given(st.sets(st.integers(0, 50), max_size=20), st.integers(0, 50), st.integers(0, 50))
def test_bounds_are_inclusive(seconds: set[int], start: int, end: int) -> None:
    """A listing shows what was created from start to end, both included."""
    world = World(replace(SETTINGS, complete_after=(1e6, 1e6)), NOON)
    for second in sorted(seconds):
        world.create(draft(second), NOON + second)
    bounds = View(start=(NOON + start) * 1000, end=(NOON + end) * 1000)
    tasks, total = world.shelf.page(bounds, 100, 0)
    assert {round(task.created_at - NOON) for task in tasks} == {s for s in seconds if start <= s <= end}
    assert total == len(tasks)


def test_a_single_option_is_nested_as_a_bare_string() -> None:
    """One annotation option comes back as a list when flat, and as a bare string under params."""
    box: Marked = {"id": "a", "left": 1, "top": 2, "width": 3, "height": 4}
    params: Params = {
        "image_url": "http://a/i",
        "instruction": "?",
        "annotation_option": ["yes"],
        "tags": [box],
    }
    task = World(SETTINGS, NOON).create(Draft("annotating", "http://a.invalid", params), NOON)
    assert flat(task)["options"] == ["yes"]
    assert nested(task)["params"]["annotation_option"] == "yes"


def test_later_creations_are_seen_coming() -> None:
    """The next event of a world with nothing but a birth to come is that birth."""
    world = made(Fault.CREATED_LATE, size=Size(created_late_s=60))
    assert world.next_event_at() == NOON + 60
    assert world.stats()["still_to_be_created"] == 1


def test_unbegun_worlds_have_nothing_to_come() -> None:
    """A world without tasks has no next event, nothing due, and an empty ledger."""
    world = World(SETTINGS, NOON)
    assert (world.next_event_at(), world.due(NOON), dict(world.ledger())) == (None, [], {})


@pytest.mark.parametrize("ask", [retrieve, cancel])
def test_another_task_may_be_answered(ask: Callable[[World, str, float], dict[str, Any]]) -> None:
    """A GET or a cancel does what it should, and shows another task of its type,
    an answered one before all.
    """
    fault = Fault.GET_OTHER if ask is retrieve else Fault.CANCEL_OTHER
    world = made(fault, times=3)
    first, second, third = world.tasks()
    second.end(Event.DONE, NOON)
    assert ask(world, first.task_id, NOON)["task_id"] == second.task_id
    assert first.status == ("pending" if ask is retrieve else "canceled")
    assert ask(world, third.task_id, NOON)["task_id"] == second.task_id
    assert world.counts[fault] == 2


def test_an_only_task_is_answered_as_it_is() -> None:
    """Where there is no other task, a GET shows the right one."""
    world = made(Fault.GET_OTHER)
    (only,) = world.tasks()
    assert retrieve(world, only.task_id, NOON)["task_id"] == only.task_id


def test_many_creates_may_be_answered_with_one_id() -> None:
    """Each create makes its task; the answer names the first one, and all else is the request's own."""
    world = World(always(SETTINGS, Fault.ONE_TASK_ID), NOON)
    answers = [create(world, draft(number), NOON).document() or {} for number in range(3)]
    assert {answer["task_id"] for answer in answers} == {next(world.tasks()).task_id}
    assert [answer["callback_url"] for answer in answers] == [f"http://a.invalid/{n}" for n in range(3)]
    assert len({task.task_id for task in world.tasks()}) == 3


@pytest.mark.parametrize("fault", [Fault.CALLBACK_INVENTED, Fault.CALLBACK_OTHER])
def test_a_callback_may_be_forged(fault: Fault) -> None:
    """Before its own callback an address gets an answer that is not the API's,
    for a task that is not its own.
    """
    world = made(fault, times=2)
    ids = {task.task_id for task in world.tasks()}
    forged, true = [callback for callback in calls(world, NOON + 20) if callback.url == "http://a.invalid/0"]
    assert (forged.copy, true.copy) == (True, False)
    assert (forged.body()["task_id"] in ids) is (fault is Fault.CALLBACK_OTHER)
    assert forged.body()["task_id"] != true.body()["task_id"] == true.task.task_id
    assert forged.body()["response"] != true.body()["response"]
    assert forged.body()["task"]["task_id"] == forged.body()["task_id"]
    assert len(true.task.acknowledged) == len(true.task.tries) == 1
