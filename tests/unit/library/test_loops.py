"""Loops of any kind: the library works in a loop that runs already, in the standard one and in uvloop's."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
import uvloop

import mwbatch
from mwbatch.simulator import Settings, serve


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_either_loop_will_do(
    new_loop: Callable[[], asyncio.AbstractEventLoop], tmp_path: Path, manifest: Path
) -> None:
    """A batch is sent, followed and read in whatever loop there is, one run after the other."""

    async def whole() -> list[str]:
        api = await serve(Settings(port=0, api_key="sim_key", complete_after=(0.0, 0.1)))
        try:
            home = tmp_path / api.url.rpartition(":")[2]
            async with (
                mwbatch.Client(api_key="sim_key", base_url=api.url) as client,
                mwbatch.Home(home, client=client) as there,
            ):
                batch = await there.run(manifest, port=0, poll=0.5)
                return [result.id async for result in batch.results()]
        finally:
            await api.close()

    for _ in range(2):
        with asyncio.Runner(loop_factory=new_loop) as runner:
            assert len(runner.run(whole())) == 3
