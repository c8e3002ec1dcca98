"""Callbacks, and the pages that only a simulator has."""

import asyncio
from dataclasses import replace

import aiohttp
import orjson
import pytest

from mwbatch.simulator import Fault, Size, serve
from tests.unit.callbacks.stage import until
from tests.unit.simulator.conftest import FAST, KEY, SLOW, Receiver, Start, always, get, tag


async def test_a_callback_is_posted_and_settled(
    start: Start, session: aiohttp.ClientSession, receiver: Receiver
) -> None:
    """A completed task is posted as task, response and task_id, and its 2xx is remembered."""
    simulator = await start(FAST)
    made = await tag(session, simulator, receiver.url)
    await receiver.until(1)
    (body,) = receiver.bodies
    assert set(body) == {"task", "response", "task_id"}
    assert body["task_id"] == body["task"]["task_id"] == made["task_id"]
    assert body["response"] == body["task"]["response"]

    async def remembered() -> bool:
        return (await get(session, simulator, f"/v1/task/{made['task_id']}")).get(
            "callback_succeeded"
        ) is True

    await until(remembered)


async def test_a_refused_callback_comes_again(
    start: Start, session: aiohttp.ClientSession, receiver: Receiver
) -> None:
    """A callback is repeated after anything but a 2xx, and a redirect is not followed."""
    receiver.statuses = [503, 307, 404, 204]
    simulator = await start(replace(FAST, time_scale=3600.0))
    await tag(session, simulator, receiver.url)
    await receiver.until(4)

    async def told() -> bool:
        stats = await get(session, simulator, "/_sim/stats")
        return (stats["callbacks_sent"], stats["callbacks_acknowledged"]) == (4, 1)

    await until(told)
    await asyncio.sleep(0.05)  # minutes, by the simulator's clock
    assert await told()
    assert set(receiver.paths) == {"/cb/1"}


async def test_an_early_callback_precedes_the_answer(
    start: Start, session: aiohttp.ClientSession, receiver: Receiver
) -> None:
    """An early callback has arrived when the create is answered, and the answer still says pending."""
    made = await tag(session, await start(always(SLOW, Fault.CALLBACK_EARLY)), receiver.url)
    assert [body["task_id"] for body in receiver.bodies] == [made["task_id"]]
    assert made["status"] == "pending"


async def test_an_early_callback_outlives_who_created(
    start: Start, session: aiohttp.ClientSession, receiver: Receiver
) -> None:
    """Whoever creates a task and hangs up before the early callback was answered is called all the same."""
    receiver.going.clear()
    simulator = await start(always(SLOW, Fault.CALLBACK_EARLY))
    asking = asyncio.create_task(tag(session, simulator, receiver.url))
    await receiver.until(1)
    asking.cancel()
    await asyncio.wait([asking])
    assert simulator._runner is not None
    assert simulator._runner.server is not None
    served = simulator._runner.server
    await until(lambda: not served.connections)  # it has heard that nobody listens any more
    receiver.going.set()

    async def told() -> bool:
        stats: dict[str, int] = await get(session, simulator, "/_sim/stats")
        return stats["callbacks_acknowledged"] == 1

    await until(told)


async def test_the_later_dialect_is_spoken_throughout(
    start: Start, session: aiohttp.ClientSession, receiver: Receiver
) -> None:
    """In the later dialect creates, retrievals and callbacks are camelCase."""
    simulator = await start(replace(FAST, dialect="later"))
    made = await tag(session, simulator, receiver.url)
    await receiver.until(1)
    assert receiver.bodies[0]["taskId"] == receiver.bodies[0]["task"]["taskId"] == made["taskId"]
    assert (await get(session, simulator, f"/v1/task/{made['taskId']}"))["state"] == "finished"


async def test_all_can_be_completed_now(
    start: Start, session: aiohttp.ClientSession, receiver: Receiver
) -> None:
    """`/_sim/complete` completes what is pending, and its callbacks follow."""
    simulator = await start(SLOW)
    await tag(session, simulator, receiver.url)
    async with session.post(f"{simulator.url}/_sim/complete") as answer:
        assert await answer.json() == {"completed": 1}
    await receiver.until(1)


async def test_the_ledger_is_open(start: Start, session: aiohttp.ClientSession) -> None:
    """The ledger needs no key, and its lines say the same as its object."""
    simulator = await start(SLOW)
    await tag(session, simulator, "http://127.0.0.1:9/a")
    async with aiohttp.ClientSession() as open_session:
        whole = await get(open_session, simulator, "/_sim/ledger")
        async with open_session.get(f"{simulator.url}/_sim/ledger.jsonl") as answer:
            lines = [orjson.loads(line) for line in (await answer.read()).splitlines()]
    assert {line["address"]: line["tasks"] for line in lines} == whole
    assert list(whole) == ["http://127.0.0.1:9/a"]


async def test_a_server_that_is_closed(session: aiohttp.ClientSession) -> None:
    """Once it is closed nobody listens, and what came about stays readable."""
    simulator = await serve(SLOW)
    await tag(session, simulator, "http://127.0.0.1:9/a")
    await simulator.close()
    with pytest.raises(aiohttp.ClientConnectorError):
        await get(session, simulator, "/_sim/ledger")
    assert simulator.world.stats()["created"] == 1


async def test_who_leaves_is_not_waited_on(start: Start) -> None:
    """An answer that is held back ends with whoever asked for it."""
    simulator = await start(always(SLOW, Fault.CREATED_TIMEOUT))
    before = asyncio.all_tasks()
    async with aiohttp.ClientSession(headers=KEY) as session:
        asking = asyncio.create_task(tag(session, simulator, "http://127.0.0.1:9/a"))
        await until(lambda: simulator.world.stats()["created"] == 1)
        asking.cancel()
    await until(lambda: asyncio.all_tasks() <= before)


async def test_stats_count_what_went_wrong(start: Start, session: aiohttp.ClientSession) -> None:
    """The stats count every fault by its name, doubles, and every refusal by its status."""
    simulator = await start(always(SLOW, Fault.PROXIED_TWICE, Fault.CALLBACK_LATE))
    await tag(session, simulator, "http://127.0.0.1:9/a")
    await tag(session, simulator, "nowhere")
    stats = await get(session, simulator, "/_sim/stats")
    assert (stats["create_requests"], stats["created"], stats["doubles"]) == (1, 2, 1)
    assert (stats["proxied_twice"], stats["callback_late"], stats["refused_400"]) == (1, 1, 1)


async def test_too_many_creates_are_busy(start: Start, session: aiohttp.ClientSession) -> None:
    """Beyond the rate a create is answered 429 with Retry-After, and makes no task."""
    simulator = await start(replace(SLOW, rate=2.0))
    answers = [await tag(session, simulator, f"http://127.0.0.1:9/{n}") for n in range(4)]
    assert [answer.get("status_code") for answer in answers] == [None, None, 429, 429]
    assert simulator.world.stats()["created"] == 2


async def test_latency_holds_answers_back(start: Start, session: aiohttp.ClientSession) -> None:
    """Every answer of the API waits for the latency."""
    simulator = await start(replace(SLOW, latency=0.05))
    begun = asyncio.get_running_loop().time()
    await get(session, simulator, "/v1/tasks")
    assert asyncio.get_running_loop().time() - begun >= 0.05


async def test_a_slow_listing_is_slow(start: Start, session: aiohttp.ClientSession) -> None:
    """A slow listing takes its time and is right."""
    simulator = await start(always(SLOW, Fault.LIST_SLOW, size=Size(list_slow_s=0.05)))
    begun = asyncio.get_running_loop().time()
    assert (await get(session, simulator, "/v1/tasks"))["total"] == 0
    assert asyncio.get_running_loop().time() - begun >= 0.05
