"""Submit and receive in one process, with a real receiver on loopback."""

import asyncio
import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp
import orjson
import pytest

from mwbatch.callbacks.ops.server import serve
from mwbatch.commands.verbs.run import ReceiverAddress, run
from mwbatch.core.facts.kinds import Seen
from mwbatch.core.report.command_outcomes import Ran
from mwbatch.errors import Exit, Poisoned, UsageError
from mwbatch.journal.home.home import Home
from mwbatch.journal.keys.home_keys import keys_of
from mwbatch.simulator.settings import Settings
from mwbatch.simulator.world.world import Callback, World
from tests.support.disks import Failing
from tests.support.virtual import virtual
from tests.unit.commands.conftest import ELSEWHERE, EPOCH, Stage, answer, clock, silent

DOOR = ReceiverAddress(port=0)


@asynccontextmanager
async def delivering(stage: Stage) -> AsyncIterator[None]:
    """Post the world's callbacks as they fall due."""
    async with aiohttp.ClientSession() as session:

        async def post(callback: Callback) -> None:
            async with session.post(
                callback.url, data=orjson.dumps(callback.body()), headers={"Content-Type": "application/json"}
            ) as reply:
                stage.world.settle(callback, acknowledged=reply.ok, now=clock())

        async def keep_posting() -> None:
            while True:
                for callback in stage.world.due(clock()):
                    await post(callback)
                await asyncio.sleep(0.1)

        posting = asyncio.create_task(keep_posting())
        yield
        posting.cancel()
        with suppress(asyncio.CancelledError):
            await posting


def quick(stage: Stage) -> None:
    """Let the workers be done after a minute or two."""
    stage.world = stage.wire.world = World(Settings(complete_after=(60.0, 120.0)), EPOCH)
    stage.wire.listings = type(stage.wire.listings)(stage.world)


async def ran(stage: Stage, count: int, url: str | None, poll: float = 30.0) -> Ran:
    """Run a manifest of so many rows."""
    options = silent(callback_url=url)
    return await run(
        stage.home, stage.client, stage.manifest(*range(count)), options, DOOR, stage.context, poll
    )


@virtual
async def test_completes_with_callbacks(stage: Stage) -> None:
    """With callbacks a run ends when the last answer is on disk, and asks for none."""
    quick(stage)
    async with delivering(stage):
        result = await ran(stage, 12, None, poll=9999)
    assert (result.exit, result.fetched, stage.statuses()) == (Exit.DONE, 0, {"completed": 12})
    assert {fact.via for fact in stage.on_disk() if isinstance(fact, Seen) and fact.answer} == {"callback"}


@virtual
async def test_completes_with_callbacks_that_another_receiver_took(stage: Stage) -> None:
    """A run ends when the last answer is on disk, whoever stored it: the API is not asked for one."""
    quick(stage)
    async with await serve(stage.home, "127.0.0.1", 0) as other, delivering(stage):
        result = await ran(stage, 12, other.url, poll=9999)
    assert (result.exit, result.fetched, stage.statuses()) == (Exit.DONE, 0, {"completed": 12})


@virtual
async def test_completes_by_polling_alone(stage: Stage) -> None:
    """Where no callback comes, the answers are fetched."""
    quick(stage)
    result = await ran(stage, 12, "none")
    assert (result.exit, result.fetched, stage.statuses()) == (Exit.DONE, 12, {"completed": 12})


@virtual
async def test_an_interrupted_run_is_unfinished(stage: Stage) -> None:
    """A wish to stop ends the waiting, and is told; what is pending stays so."""
    asyncio.get_running_loop().call_later(40, stage.context.stopping.set)
    result = await ran(stage, 3, "none")
    assert (result.exit, stage.statuses()) == (Exit.UNFINISHED, {"pending": 3})
    assert result.ending.reason == "interrupted"


@virtual
async def test_a_refused_account_is_not_waited_for(stage: Stage) -> None:
    """After a halt nothing is waited for, although rows are pending."""
    stage.wire.plays = [None, answer(401)]
    assert (await ran(stage, 3, "none")).exit is Exit.API
    assert stage.context.ticks() < 60


@virtual
async def test_a_foreign_api_needs_a_public_url(stage: Stage) -> None:
    """An API elsewhere cannot call this machine's loopback: a callback URL must be given."""
    stage.client = stage.client_at(ELSEWHERE)
    with pytest.raises(UsageError, match="--callback-url"):
        await ran(stage, 1, None)


@pytest.mark.files
@virtual
async def test_a_receiver_that_can_store_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the receiver's journal is poisoned the run ends, and blames the machine."""
    quick(stage)
    keys_of(stage.home)
    broken = Home(stage.path, disk=Failing(write=[errno.EIO]))
    monkeypatch.setattr(
        "mwbatch.commands.verbs.run.serve", lambda _, *args, **how: serve(broken, *args, **how)
    )
    async with delivering(stage):
        with pytest.raises(Poisoned):
            await ran(stage, 12, None, poll=9999)
    assert stage.statuses() == {"pending": 12}


@virtual
async def test_where_its_health_is_shown_is_told(stage: Stage) -> None:
    """A run with an admin port says where that is; one without says nothing of it."""
    quick(stage)
    for door, count in ((DOOR, 0), (ReceiverAddress(port=0, admin_port=0), 1)):
        context = stage.new_context()
        await run(stage.home, stage.client, stage.manifest(1), silent(), door, context, 30.0)
        told = [note for note in context.tally.notes if "health and metrics at http://127.0.0.1:" in note]
        assert len(told) == count


@virtual
async def test_the_api_is_asked_now_and_then(stage: Stage) -> None:
    """While an answer stays away each look comes as long after the one before as was said, or sooner at
    first; no task is asked for without a pause.
    """
    asyncio.get_running_loop().call_later(600, stage.context.stopping.set)
    assert (await ran(stage, 1, "none", poll=60.0)).exit is Exit.UNFINISHED
    assert 600 / 60 - 1 <= len(stage.wire.got) <= 600 / 60 + 10
