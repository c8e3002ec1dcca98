"""What comes to one address fills no disk: four tasks of an attempt are stored,
and four answers of a task.
"""

import asyncio
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.callbacks.common.refusal import Reason
from mwbatch.callbacks.storing.journal_sink import MOST_ANSWERS, MOST_TASKS, Bounds
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.codec.json_codec import encode
from mwbatch.core.facts.kinds import Seen
from mwbatch.core.state.row_table import GAP
from tests.unit.callbacks.conftest import Start
from tests.unit.callbacks.stage import Reply, Stage, callback, until

OK = Reply(200, b"", None)
ENOUGH = 422


def answers(stage: Stage) -> Counter[str]:
    """How many answers of each task are on disk."""
    return Counter(fact.task_id for fact in stage.facts() if isinstance(fact, Seen))


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 1, GAP * 2]), st.integers(1, 2), st.sampled_from("abcdef"), st.booleans()
        )
    )
)
def test_a_task_has_room_for_four_and_an_attempt_for_four_tasks(
    came: list[tuple[int, int, str, bool]],
) -> None:
    """A fact has room exactly while its attempt has fewer than four others' tasks,
    and its task fewer than four facts.
    """
    bounds, kept = Bounds(), Counter[tuple[int, int, str]]()
    for row, attempt, task, back in came:
        there = {name for r, a, name in +kept if (r, a) == (row, attempt)}
        room = len(there - {task}) < MOST_TASKS and kept[row, attempt, task] < MOST_ANSWERS
        assert bounds.take(RowNumber(row), Attempt(attempt), task) is room
        if room and back:
            bounds.give_back(RowNumber(row), Attempt(attempt), task)
        elif room:
            kept[row, attempt, task] += 1


@pytest.mark.parametrize("place", [(0, 1, "other"), (0, 2, "task"), (1, 1, "task"), (GAP * 2, 1, "task")])
def test_room_that_was_not_taken_is_not_given_back(place: tuple[int, int, str]) -> None:
    """Giving back what took no room leaves what every other task has."""
    bounds = Bounds()
    bounds.take(RowNumber(0), Attempt(1), "task")
    bounds.give_back(RowNumber(place[0]), Attempt(place[1]), place[2])
    assert bounds.holds(RowNumber(0), Attempt(1), "task")


@pytest.mark.parametrize("row", [0, 1 << 50])
def test_each_attempt_has_its_own_room(row: int) -> None:
    """Four tasks of each attempt have room, whatever was stored of another one, and however far away a row
    is; that one of them has answered before takes no second place.
    """
    bounds = Bounds()
    for attempt in (1, 2):
        for task in ("a", "a", "b", "c", "d"):
            assert bounds.take(RowNumber(row), Attempt(attempt), task)
        assert not bounds.take(RowNumber(row), Attempt(attempt), "e")


@pytest.mark.parametrize("taken", range(1, MOST_ANSWERS + 1))
@pytest.mark.parametrize("attempt", [1, 2])
def test_what_is_given_back_is_room_for_one_more(taken: int, attempt: int) -> None:
    """However many answers of a task were stored, giving one back makes room for one and no more."""
    bounds = Bounds()

    def take() -> bool:
        return bounds.take(RowNumber(0), Attempt(attempt), "a")

    assert all(take() for _ in range(taken))
    bounds.give_back(RowNumber(0), Attempt(attempt), "a")
    assert [take() for _ in range(MOST_ANSWERS + 1)].count(True) == MOST_ANSWERS - taken + 1


async def test_a_flood_of_answers(stage: Stage) -> None:
    """Of three hundred answers that differ four are stored;
    the others are answered 422 and kept as rejects, so far as those go.
    """
    bodies = [callback(response={"tags": [], "n": n}) for n in range(300)]
    replies = [await stage.post(stage.address(), body) for body in bodies]
    assert [reply.status for reply in replies] == [200] * 4 + [ENOUGH] * 296
    assert answers(stage) == {"t1": 4}
    assert stage.running.counts.rejected[Reason.TOO_MANY] == 296
    await until(lambda: stage.running.counts.kept + stage.running.counts.unkept == 296)
    assert await stage.post(stage.address(), bodies[2]) == OK
    assert await stage.post(stage.address(1), bodies[9]) == OK


async def test_repetitions_take_no_room(stage: Stage) -> None:
    """However often an answer comes again, one after the other,
    three others of its task are stored beside it.
    """
    bodies = [callback(response={"tags": [], "n": n}) for n in range(4)]
    for body in (*[bodies[0]] * 9, *bodies, *bodies):
        assert await stage.post(stage.address(), body) == OK
    assert answers(stage) == {"t1": 4}


async def test_a_flood_at_once(stage: Stage) -> None:
    """A flood in which none waits for another is held to the same."""
    posts = [stage.post(stage.address(), callback(f"t{n}")) for n in range(60)]
    replies = await asyncio.gather(*posts)
    assert Counter(reply.status for reply in replies) == {200: 4, ENOUGH: 56}
    assert len(answers(stage)) == 4


async def test_a_flood_without_answers(stage: Stage) -> None:
    """Callbacks that bring no answer are held to the same, and take no room from those that do."""
    bare = encode({"task_id": "t1", "task": {"task_id": "t1", "status": "pending"}})
    replies = [await stage.post(stage.address(), bare) for _ in range(9)]
    assert [reply.status for reply in replies] == [200] * 4 + [ENOUGH] * 5
    assert await stage.post(stage.address(), callback()) == OK


async def test_a_receiver_knows_what_another_one_stored(start: Start) -> None:
    """What is on disk counts for a receiver that starts later, a repetition is still answered 200,
    another attempt has its own room.
    """
    first = await start()
    bodies = [callback(f"t{n}") for n in range(5)]
    bare = encode({"task_id": "t1", "task": {"task_id": "t1", "status": "pending"}})
    for body in (*bodies[:4], *[bare] * 4):
        assert await first.post(first.address(), body) == OK
    await first.running.close()
    second = await start()
    assert [(await second.post(second.address(), body)).status for body in bodies] == [200] * 4 + [ENOUGH]
    assert (await second.post(second.address(), bare)).status == ENOUGH
    assert await second.post(second.address(attempt=2), bodies[4]) == OK
