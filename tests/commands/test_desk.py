import asyncio

from mwbatch.commands.desk import Desk
from tests.virtual import virtual


@virtual
async def test_sleep_takes_its_time() -> None:
    """Undisturbed, a sleep lasts as long as was asked for."""
    assert not await Desk().sleep(60)
    assert asyncio.get_running_loop().time() == 60


@virtual
async def test_a_wish_to_stop_ends_a_sleep() -> None:
    """The user's wish to stop ends a sleep at once, and a sleep after it does not begin."""
    desk, loop = Desk(), asyncio.get_running_loop()
    loop.call_later(5, desk.stopping.set)
    assert await desk.sleep(60)
    assert await desk.sleep(60)
    assert loop.time() == 5
