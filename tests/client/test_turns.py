"""So many at a time, the others in the order in which they came."""

import asyncio

import pytest

from mwbatch.client.turns import Turns


async def begun(turns: Turns, order: list[int], *names: int) -> list[asyncio.Task[None]]:
    """Those who wait for a turn by now, and note their names once it has come."""

    async def one(name: int) -> None:
        await turns.wait()
        order.append(name)

    tasks = [asyncio.create_task(one(name)) for name in names]
    await asyncio.sleep(0)
    return tasks


async def test_there_are_so_many_turns_and_no_more() -> None:
    """Each that was taken leaves one less, each that has ended one more."""
    turns = Turns(2)
    assert [turns.take() for _ in range(3)] == [True, True, False]
    turns.end()
    assert [turns.take() for _ in range(2)] == [True, False]


async def test_first_come_first_served() -> None:
    """A turn that ends is that of who has waited longest; whoever comes by meanwhile gets none."""
    turns, order = Turns(1), list[int]()
    assert turns.take()
    tasks = await begun(turns, order, 1, 2)
    turns.end()
    assert not turns.take()
    await tasks[0]
    assert order == [1]
    turns.end()
    await tasks[1]
    turns.end()
    assert (order, turns.take(), turns.take()) == ([1, 2], True, False)


@pytest.mark.parametrize("came", [True, False])
async def test_whoever_stops_waiting_takes_no_turn_with_him(came: bool) -> None:
    """Cancelled while he waits, or in the moment in which his turn comes, he leaves it to the next one."""
    turns, order = Turns(1), list[int]()
    assert turns.take()
    tasks = await begun(turns, order, 1, 2)
    if came:
        turns.end()
    tasks[0].cancel()
    await asyncio.wait(tasks[:1])
    if not came:
        turns.end()
    await tasks[1]
    assert order == [2]
    turns.end()
    assert [turns.take() for _ in range(2)] == [True, False]
