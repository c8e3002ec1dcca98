import asyncio

import pytest

from mwbatch.commands.context.run_all import run_all
from tests.support.virtual import virtual


@virtual
async def test_all_come_to_their_end() -> None:
    """A crew is done when each of its workers is."""
    ended: list[int] = []

    async def work(number: int) -> None:
        await asyncio.sleep(number)
        ended.append(number)

    await run_all(work(number) for number in (3, 1, 2))
    assert ended == [1, 2, 3]


@virtual
async def test_the_first_error_comes_as_it_is() -> None:
    """One worker's error stops the others and is raised itself, not wrapped in a group."""
    stopped: list[str] = []

    async def fail() -> None:
        await asyncio.sleep(1)
        raise KeyError("mine")

    async def wait() -> None:
        try:
            await asyncio.sleep(9)
        finally:
            stopped.append("yes")

    with pytest.raises(KeyError, match="mine"):
        await run_all([fail(), wait()])
    assert stopped == ["yes"]
