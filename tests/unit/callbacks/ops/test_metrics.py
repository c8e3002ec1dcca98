"""The metrics: read as Prometheus reads them, they tell what was sent."""

import asyncio
import errno
import sys
from collections.abc import Mapping

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from mwbatch.callbacks.common.counts import Counts
from mwbatch.callbacks.common.limits import Limits
from mwbatch.callbacks.common.refusal import Reason
from mwbatch.core.api.receiver_probe import probe_address, question
from mwbatch.journal.interface.commit_times import BYTES, SECONDS
from tests.support.disks import Failing, Gated
from tests.unit.callbacks.conftest import Start
from tests.unit.callbacks.stage import Stage, callback, request, talk, turns

Samples = Mapping[tuple[str, str], float]
"""Values by name and the value of the one label, which is empty where there is none."""


async def scrape(stage: Stage) -> Samples:
    """Everything that the admin port tells, by name and label."""
    families = text_string_to_metric_families(await page(stage))
    samples = [sample for family in families for sample in family.samples]
    found = {(sample.name, "".join(sample.labels.values())): sample.value for sample in samples}
    assert len(found) == len(samples)
    return found


async def page(stage: Stage) -> str:
    """The text of /metrics."""
    async with aiohttp.ClientSession() as session, session.get(f"{stage.running.admin_url}/metrics") as reply:
        assert (reply.status, reply.content_type) == (200, "text/plain")
        return await reply.text()


async def test_outcomes(start: Start) -> None:
    """Each request is counted once, by what it came to; every outcome is there from the start, with 0."""
    stage = await start(admin_port=0)
    before = await scrape(stage)
    outcomes = {label: value for (name, label), value in before.items() if name == "mwbatch_callbacks_total"}
    assert outcomes == dict.fromkeys(["stored", "repeated", "probe", *(reason.value for reason in Reason)], 0)
    bodies = [callback(f"t{row}") for row in range(5)]
    for row in (*range(5), 0, 0):
        await stage.post(stage.address(row), bodies[row])
    await stage.post(stage.address(batch="elsewhere"), callback())
    await stage.post(probe_address(stage.running.url, stage.key), question("n"))
    for bad in (b"{", b"[]", b"1"):
        await stage.post(stage.address(), bad)
    await stage.post(stage.address()[:-1], callback())
    await talk(stage.running.port, b"rubbish\r\n\r\n")
    after = await scrape(stage)
    told = {label: n for (name, label), n in after.items() if name == "mwbatch_callbacks_total" and n}
    assert told == {
        "stored": 6,
        "repeated": 2,
        "probe": 1,
        "not_json": 1,
        "not_task": 2,
        "unknown": 1,
        "not_http": 1,
    }
    assert after["mwbatch_inbox_total", ""] == 1
    assert after["mwbatch_received_bytes_total", ""] == sum(map(len, bodies)) + 3 * len(callback())


async def test_commits(start: Start) -> None:
    """Each commit is in one bucket of time and of size; together they have the bytes that are on disk."""
    stage = await start(admin_port=0)
    for row in range(7):
        await stage.post(stage.address(row), callback(f"t{row}"))
    told = await scrape(stage)
    for name, bounds in (("mwbatch_commit_seconds", SECONDS), ("mwbatch_commit_bytes", BYTES)):
        buckets = [told[f"{name}_bucket", str(bound)] for bound in bounds]
        assert buckets == sorted(buckets)
        assert told[f"{name}_bucket", "+Inf"] == told[f"{name}_count", ""] == 7
    assert told["mwbatch_commit_bytes_sum", ""] == sum(map(len, stage.files().values()))
    assert 0 < told["mwbatch_commit_seconds_sum", ""] < 7


async def test_the_present(start: Start) -> None:
    """What waits for the disk, what is held in memory and who is connected rise and fall."""
    disk = Gated()
    stage = await start(admin_port=0, disk=disk)
    body = callback()
    post = asyncio.create_task(stage.post(stage.address(), body))
    await asyncio.to_thread(disk.waiting.wait, 5)
    during = await scrape(stage)
    disk.gate.set()
    await post
    after = await scrape(stage)
    assert during["mwbatch_held_bytes", ""] == len(body)
    assert during["mwbatch_queue_bytes", ""] == sum(map(len, stage.files().values()))
    assert after["mwbatch_held_bytes", ""] == after["mwbatch_queue_bytes", ""] == 0
    assert during["mwbatch_open_connections", ""] == after["mwbatch_open_connections", ""] == 1
    await stage.session.close()
    await turns()
    assert (await scrape(stage))["mwbatch_open_connections", ""] == 0


async def test_ready_is_a_number(start: Start) -> None:
    """Ready is 1, and 0 once the disk has failed."""
    stage = await start(admin_port=0, disk=Failing(write=[errno.EIO]))
    assert (await scrape(stage))["mwbatch_ready", ""] == 1
    await stage.post(stage.address(), callback())
    told = await scrape(stage)
    assert (told["mwbatch_ready", ""], told["mwbatch_callbacks_total", "broken"]) == (0, 1)
    assert told["mwbatch_commit_seconds_count", ""] == 0


async def test_connections_above_the_cap(start: Start) -> None:
    """A connection that made room for another is counted."""
    stage = await start(admin_port=0, limits=Limits(connections=1))
    _, writer = await asyncio.open_connection("127.0.0.1", stage.running.port)
    await turns()
    await talk(stage.running.port, request("/"))
    writer.close()
    assert (await scrape(stage))["mwbatch_evicted_total", ""] == 1


async def test_strangers_make_no_series(start: Start) -> None:
    """Whatever is sent, the set of series stays the same, and nothing secret is in it."""
    stage = await start(admin_port=0)
    before = set(await scrape(stage))
    path = stage.path()
    for head in (
        request("/secret-path"),
        request(path, method="GET"),
        request(path, "X-Secret: secret-header"),
    ):
        await talk(stage.running.port, head)
    await stage.post(stage.address(), callback("secret-task"))
    assert set(await scrape(stage)) == before
    told = await page(stage)
    assert "secret" not in told
    assert path.rpartition("/")[2] not in told


async def test_two_servers_count_apart(start: Start) -> None:
    """Two receivers in one process share no number."""
    one, two = await start(admin_port=0), await start(admin_port=0)
    await one.post(one.address(), callback())
    counts = [(await scrape(stage))["mwbatch_callbacks_total", "stored"] for stage in (one, two)]
    assert counts == [1, 0]


async def test_without_the_extra(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without prometheus-client it says what to install, and everything else works."""
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    monkeypatch.delitem(sys.modules, "mwbatch.callbacks.ops.metrics", raising=False)
    stage = await start(admin_port=0)
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{stage.running.admin_url}/metrics") as reply:
            assert reply.status == 501
            assert "pip install prometheus-client" in await reply.text()
        async with session.get(f"{stage.running.admin_url}/readyz") as reply:
            assert reply.status == 200


def test_nothing_is_counted_at_first() -> None:
    """A receiver that nobody has called tells of nothing."""
    counts = Counts().plain()
    assert counts.pop("rejected") == {}
    assert set(counts.values()) == {0}
