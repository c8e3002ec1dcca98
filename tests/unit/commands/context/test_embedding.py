"""Commands in somebody else's program: several at once, in one loop or in several, beside his own tasks."""

import asyncio
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from mwbatch.callbacks.ops.mounting import RECEIVER, application
from mwbatch.commands.manifest.planning import ManifestSource
from mwbatch.commands.verbs.submit import resume, submit
from mwbatch.core.report.command_outcomes import Created
from mwbatch.errors import BatchBusy, Exit
from mwbatch.journal.interface.open_batch import OpenBatch
from tests.support.virtual import run_virtual, virtual
from tests.unit.commands.conftest import Stage, silent
from tests.unit.commands.sending.test_cancelled import reached

ROWS = 30


def manifests(stage: Stage) -> list[ManifestSource]:
    """Three manifests that have nothing in common."""
    return [
        stage.manifest(*(f"{name}{number}" for number in range(ROWS)), name=f"{name}.csv") for name in "abc"
    ]


async def sent(stage: Stage, source: ManifestSource) -> Created:
    """Submit a manifest with the stage's client, which others use at the same time."""
    return await submit(stage.home, stage.client, source, silent(concurrency=8), stage.new_context())


@virtual
async def test_several_batches_at_once(stage: Stage) -> None:
    """Batches that are submitted in one loop, with one client, are each sent once, whatever the others do."""
    created = await asyncio.gather(*(sent(stage, source) for source in manifests(stage)))
    assert [one.exit for one in created] == [Exit.DONE] * 3
    assert [stage.statuses(name) for name in "abc"] == [{"pending": ROWS}] * 3
    assert (stage.tasks, stage.world.stats()["doubles"]) == (3 * ROWS, 0)


@virtual
async def test_one_that_is_cancelled_leaves_the_others_alone(stage: Stage) -> None:
    """A batch that is cancelled ends alone: the client that it shares goes on for the others."""
    one, other, _ = manifests(stage)
    running = asyncio.create_task(sent(stage, one))
    beside = asyncio.create_task(sent(stage, other))
    await reached(lambda: stage.tasks >= ROWS)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (await beside).exit is Exit.DONE
    again = await resume(stage.home, stage.client, "a", silent(settle=1.0), stage.new_context())
    assert (again.exit, stage.statuses("a"), stage.tasks) == (Exit.DONE, {"pending": ROWS}, 2 * ROWS)


@virtual
async def test_the_same_batch_twice(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks for a batch at which this very process is at work is refused in the same turn of the loop."""
    source = manifests(stage)[0]
    await sent(stage, source)
    reading, go = asyncio.Event(), asyncio.Event()
    starts = OpenBatch.starts

    async def slow(batch: OpenBatch) -> object:
        reading.set()
        await go.wait()
        return await starts(batch)

    monkeypatch.setattr(OpenBatch, "starts", slow)
    running = asyncio.create_task(resume(stage.home, stage.client, "a", silent(), stage.new_context()))
    await reading.wait()
    waited = list[str]()
    asyncio.get_running_loop().call_later(1e-3, waited.append, "a while")
    with pytest.raises(BatchBusy, match=r"in use by mwbatch resume"):
        await resume(stage.home, stage.client, "a", silent(), stage.new_context())
    assert not waited
    go.set()
    assert (await running).exit is Exit.DONE
    assert stage.tasks == ROWS


def test_two_loops_in_two_threads(tmp_path: Path) -> None:
    """Two threads, each with a loop of its own, submit two batches of one home: each row is sent once."""
    stages = [Stage(tmp_path), Stage(tmp_path)]
    sources, exits = manifests(stages[0]), dict[int, Exit]()

    def work(number: int) -> None:
        created = run_virtual(sent(stages[number], sources[number]))
        exits[number] = created.exit

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert exits == {0: Exit.DONE, 1: Exit.DONE}
    assert [stages[0].statuses(name) for name in "ab"] == [{"pending": ROWS}] * 2
    assert [stage.tasks for stage in stages] == [ROWS, ROWS]


def test_one_batch_in_two_threads(tmp_path: Path) -> None:
    """While a thread is at work at a batch, another one with a loop of its own is refused,
    and nothing is sent twice.
    """
    stages = [Stage(tmp_path), Stage(tmp_path)]
    source, refused = manifests(stages[0])[0], list[str]()

    def other() -> None:
        with pytest.raises(BatchBusy) as raised:
            run_virtual(resume(stages[1].home, stages[1].client, "a", silent(), stages[1].new_context()))
        refused.append(str(raised.value))

    def beside(_: object) -> None:
        if stages[0].tasks == ROWS // 2:
            thread = threading.Thread(target=other)
            thread.start()
            thread.join()

    stages[0].wire.on_create = beside
    assert run_virtual(sent(stages[0], source)).exit is Exit.DONE
    assert ["in use by mwbatch submit" in words for words in refused] == [True]
    assert [stage.tasks for stage in stages] == [ROWS, 0]


@virtual
async def test_a_receiver_beside_a_submit(stage: Stage) -> None:
    """A receiver that is mounted in the user's own application takes what
    comes while a submit runs in the same loop.
    """
    app = web.Application()
    own = application(stage.home)
    app.add_subapp("/hooks", own)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks"
        options = replace(silent(concurrency=8), callback_url=url)
        created = await submit(stage.home, stage.client, manifests(stage)[0], options, stage.new_context())
        assert (created.exit, created.report.is_heard) == (Exit.DONE, True)
        assert own[RECEIVER].counts.probes == 1
    finally:
        await runner.cleanup()
    assert stage.statuses("a") == {"pending": ROWS}
