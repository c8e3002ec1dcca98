"""Runs that are cut short: only a request of which bytes left is in doubt."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from mwbatch.client import Client
from mwbatch.commands.sending.sending import Sender
from mwbatch.commands.verbs.submit import resume, submit
from mwbatch.core.facts.kinds import Failed
from mwbatch.errors import Exit, UsageError
from mwbatch.journal.interface.open_batch import OpenBatch
from mwbatch.simulator.world.forms import Draft
from tests.support.disks import Gated
from tests.support.virtual import virtual
from tests.unit.client.conftest import Talk, started
from tests.unit.commands.conftest import LATENCY, Stage, answer, silent
from tests.unit.commands.sending.test_sending import place, send, sender_of


def at_once(stage: Stage, batch: OpenBatch, most: int) -> Sender:
    """A sender that begins with ``most`` requests in flight."""
    sender = sender_of(stage, batch, most)
    sender.pace.limit = float(most)
    return sender


async def cut(running: "asyncio.Task[Any]", times: int = 100) -> None:
    """Cancel a task, and again in each turn of the loop, until it has ended."""
    for _ in range(times):
        if running.done():
            break
        running.cancel()
        await asyncio.sleep(0)
    with suppress(asyncio.CancelledError):
        await running


async def reached(condition: Callable[[], bool]) -> None:
    """Let time pass until something holds."""
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(LATENCY / 10)
    raise AssertionError("it never came to that")


async def doubted(stage: Stage, connections: int, times: int) -> dict[str, int]:
    """What becomes of 300 rows that are cancelled with 128 requests on their way;
    that many of them had left.
    """
    batch = await stage.opened(300)
    stage.wire.connections = asyncio.Semaphore(connections)
    sending = asyncio.create_task(at_once(stage, batch, 128).send(batch.journal.rows()))
    await reached(lambda: stage.wire.in_flight == 128)
    await cut(sending, times)
    there = stage.statuses()  # at once: what is not on disk when the run has ended may never be
    await batch.journal.close()
    return there


@pytest.mark.parametrize("times", [1, 2, 100])
@virtual
async def test_only_what_left_is_in_doubt(stage: Stage, times: int) -> None:
    """Of 128 requests 79 had left when the run was cancelled: 79 rows are in doubt,
    however often it was cancelled.
    """
    assert await doubted(stage, 79, times) == {"doubt": 79, "planned": 221}
    closed = [fact for fact in stage.on_disk() if isinstance(fact, Failed)]
    assert {(fact.verdict, fact.final) for fact in closed} == {("unsent", False)}


@virtual
async def test_who_is_cut_short_hears_of_no_trouble(stage: Stage) -> None:
    """Requests that were cut short are no trouble of the API's: nobody says that it is waited for,
    or asks it.
    """
    await doubted(stage, 79, 1)
    assert [note for note in stage.context.tally.notes if "until the API answers" in note] == []
    assert stage.wire.listed == []


async def test_what_left_over_real_sockets(stage: Stage) -> None:
    """Of twenty requests nine were heard of when the run is cancelled: nine rows are in doubt."""
    batch, heard = await stage.opened(50), asyncio.Semaphore(0)

    async def mute(talk: Talk) -> None:
        await talk.hear()
        heard.release()
        await talk.reader.read()

    server, listening = await started(mute)
    async with Client("key", server.url, limit=9) as stage.client:
        sending = asyncio.create_task(at_once(stage, batch, 20).send(batch.journal.rows()))
        for _ in range(9):
            await heard.acquire()
        await cut(sending)
    listening.close()
    await batch.journal.close()
    assert (stage.statuses(), len(server.requests)) == ({"doubt": 9, "planned": 41}, 9)


@pytest.mark.files
@virtual
async def test_cancelled_while_started_is_written(stage: Stage) -> None:
    """A run of rows whose ``started`` is on its way to the disk when all
    is cancelled leaves none of them in doubt.
    """
    disk = Gated()
    batch = await stage.opened(40, disk)
    sending = asyncio.create_task(sender_of(stage, batch).send(batch.journal.rows()))
    await asyncio.to_thread(disk.waiting.wait)
    sending.cancel()
    await asyncio.sleep(0)
    sending.cancel()
    disk.gate.set()
    with pytest.raises(asyncio.CancelledError):
        await sending
    await batch.journal.close()
    assert (stage.wire.creates, stage.statuses()) == ([], {"planned": 40})
    assert {row for row, _ in stage.covered()} == {
        fact.row for fact in stage.on_disk() if isinstance(fact, Failed)
    }


@virtual
async def test_a_row_is_not_given_up_for_stops(stage: Stage) -> None:
    """Rows that never left are sent at last, however many runs were cut before:
    a stop is no attempt in vain.
    """
    source = stage.manifest(*range(9))
    await submit(stage.home, stage.client, source, silent(), stage.new_context())
    stage.write(source, "id,image_url", *(f"{n},https://images.example.com/{n}.jpg" for n in range(60)))
    for _ in range(5):
        stage.wire.connections = asyncio.Semaphore(1)
        running = asyncio.create_task(submit(stage.home, stage.client, source, silent(), stage.new_context()))
        await reached(lambda: stage.wire.in_flight == 4)
        await cut(running)
    stage.wire.connections = asyncio.Semaphore(99)
    created = await resume(stage.home, stage.client, "logos", silent(), stage.new_context())
    assert (created.exit, created.reasons) == (Exit.DONE, ())
    assert stage.statuses() == {"pending": 60}
    assert stage.tasks == 60


@pytest.mark.parametrize(("error", "doubt"), [(KeyError("odd"), 1), (UsageError("odd: it was closed"), 0)])
@virtual
async def test_one_workers_error_leaves_the_others_alone(stage: Stage, error: Exception, doubt: int) -> None:
    """An error in one worker is raised when the others have their answers;
    it puts its own row in doubt alone.

    Not even that where it says, as the refusal of a client that was closed does, that nothing was written.
    """

    def odd(draft: Draft) -> None:
        if place(draft.callback_url)[0] == 5:
            raise error

    stage.wire.on_create = odd
    batch = await stage.opened(100)
    sender = at_once(stage, batch, 16)
    with pytest.raises(type(error), match="odd"):
        await sender.send(batch.journal.rows())
    await batch.journal.close()
    there = stage.statuses()
    assert there.pop("doubt", 0) == doubt
    assert there == {"pending": stage.tasks, "planned": 100 - doubt - stage.tasks}


@virtual
async def test_a_cut_pause_keeps_what_is_known(stage: Stage) -> None:
    """A row that waits for its next try when all is cancelled was refused by a busy API,
    which is no doubt.
    """
    stage.wire.always = lambda _: answer(429)
    sending = asyncio.create_task(send(stage, await stage.opened(3), most=1))
    await reached(lambda: len(stage.wire.creates) == 1 and not stage.wire.in_flight)
    await cut(sending)
    [row] = {fact.row for fact in stage.on_disk() if isinstance(fact, Failed) and fact.verdict == "busy"}
    assert (row, stage.statuses()) == (0, {"planned": 3})
