"""One timer for all that is in flight."""

import asyncio

import pytest

from mwbatch.client.watchdog import Watchdog
from tests.virtual import virtual


async def watched(dog: Watchdog, seconds: float) -> bool:
    """Sleep as a watched request; whether the watchdog cut it."""
    task = dog.begin()
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        if not dog.end(task):
            raise
        return True
    return dog.end(task)


@virtual
async def test_the_old_are_cut_and_the_young_are_not() -> None:
    """Each request is measured from its own beginning."""
    dog = Watchdog(0.2)
    old = asyncio.create_task(watched(dog, 5))
    await asyncio.sleep(0.15)
    young = asyncio.create_task(watched(dog, 0.15))
    assert (await old, await young) == (True, False)


@virtual
async def test_the_timer_rests_when_nothing_is_in_flight() -> None:
    """With no request in flight nothing ticks, and the next request is watched again."""
    dog = Watchdog(0.1)
    assert not await watched(dog, 0)
    await asyncio.sleep(0.05)
    assert dog._timer is None
    assert await watched(dog, 5)


@virtual
async def test_somebody_elses_cancel_wins() -> None:
    """A task cancelled by the watchdog and by somebody else at once ends cancelled."""
    dog = Watchdog(10)
    task = asyncio.create_task(watched(dog, 5))
    await asyncio.sleep(0)
    dog.limit = 0
    dog._look(asyncio.get_running_loop())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@virtual
async def test_a_task_that_is_ending_may_still_send() -> None:
    """A request sent while its task is already being cancelled is cut like any other."""
    dog = Watchdog(0.05)

    async def ending() -> bool:
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            return await watched(dog, 5)
        return False

    task = asyncio.create_task(ending())
    await asyncio.sleep(0)
    task.cancel()
    assert await task


@virtual
async def test_a_stopped_watchdog_cuts_nothing() -> None:
    """After stop no request is cut."""
    dog = Watchdog(0.05)
    task = asyncio.create_task(watched(dog, 0.2))
    await asyncio.sleep(0)
    dog.stop()
    dog.stop()
    assert not await task
