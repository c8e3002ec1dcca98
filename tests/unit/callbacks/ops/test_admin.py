"""The admin port: alive, ready or why not."""

import asyncio
import errno
import threading
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from mwbatch.callbacks.common.limits import Limits
from mwbatch.callbacks.common.readiness import State
from mwbatch.callbacks.ops.server import Running, serve
from mwbatch.callbacks.receiver import Receiver
from mwbatch.errors import UsageError
from mwbatch.journal.segments.journal import Segments
from tests.support.disks import Failing, Fillable, Gated
from tests.support.ports import free_port, listens
from tests.unit.callbacks.conftest import Start
from tests.unit.callbacks.stage import BATCH, Stage, callback, make_home, request, status, talk, turns, until

QUICK: Final = Limits(probe_seconds=0.02)
SOME_PROBES: Final = 10 * QUICK.probe_seconds


async def ask(url: str | None, path: str = "/readyz") -> tuple[int, Any]:
    """Get a page of the admin port: status, and its JSON or text."""
    assert url is not None
    async with aiohttp.ClientSession() as session, session.get(url + path) as reply:
        told = reply.json() if reply.content_type == "application/json" else reply.text()
        return reply.status, await told


async def reason(running: Running) -> str | None:
    """Why it is not ready; None when it is."""
    code, body = await ask(running.admin_url)
    assert (code, body["ready"]) in ((200, True), (503, False))
    told: str | None = body.get("reason")
    return told


async def until_ready(running: Running, hindrance: str | None) -> None:
    """Wait until it is ready, or is not for this reason."""

    async def so() -> bool:
        return await reason(running) == hindrance

    await until(so)


async def test_alive_and_ready(start: Start) -> None:
    """A receiver that runs is alive and ready, and shows nothing else."""
    running = (await start(admin_port=0)).running
    assert await ask(running.admin_url, "/healthz") == (200, "ok\n")
    assert await ask(running.admin_url) == (200, {"ready": True})
    assert (await ask(running.admin_url, "/"))[0] == 404


async def test_off_by_default(stage: Stage) -> None:
    """Without a port for it nothing listens; and the callbacks' port knows none of its pages."""
    assert stage.running.admin_url is None
    for path in ("/healthz", "/readyz", "/metrics"):
        assert status(await talk(stage.running.port, request(path, method="GET"))) == 404


async def test_starting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the journals are still being read it is alive but not ready, and no callback's port listens."""
    home, port = make_home(tmp_path / "home", BATCH), free_port()
    url = f"http://127.0.0.1:{port}"
    read, index = threading.Event(), Segments.index
    monkeypatch.setattr(Segments, "index", lambda *to: read.wait(10) and index(*to))
    starting = asyncio.create_task(serve(home, "127.0.0.1", 0, admin_port=port))
    await until(lambda: starting.done() or listens(port))
    assert not starting.done()
    assert await ask(url) == (503, {"ready": False, "reason": "starting"})
    assert await ask(url, "/healthz") == (200, "ok\n")
    assert not starting.done()
    read.set()
    async with await starting:
        assert await ask(url) == (200, {"ready": True})


async def test_read_but_not_listening(tmp_path: Path) -> None:
    """When the journals are read but nobody listens yet it is still starting:
    whoever is told ready may connect.
    """
    receiver = Receiver(make_home(tmp_path / "home", BATCH))
    async with receiver.opened():
        assert receiver.hindrance is State.STARTING


async def test_poisoned(start: Start) -> None:
    """Once a disk has failed for good it never becomes ready again."""
    stage = await start(admin_port=0, disk=Failing(write=[errno.EIO]), limits=QUICK)
    assert await reason(stage.running) is None
    assert (await stage.post(stage.address(), callback())).status == 503
    await until_ready(stage.running, "poisoned")
    await asyncio.sleep(SOME_PROBES)
    assert await reason(stage.running) == "poisoned"


async def test_a_full_disk_gets_space(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """It is not ready while the disk is full, and ready again once there is space,
    though no callback comes.
    """
    disk = Fillable()
    stage = await start(admin_port=0, disk=disk, limits=QUICK)
    disk.full = True
    assert (await stage.post(stage.address(), callback())).status == 503
    await until_ready(stage.running, "disk_full")
    await asyncio.sleep(SOME_PROBES)
    assert await reason(stage.running) == "disk_full"
    assert "; free some, it goes on by itself" in caplog.text
    assert "there is space again" not in caplog.text
    disk.full = False
    await until_ready(stage.running, None)
    assert caplog.text.count("there is space again") == 1
    assert not stage.lines()
    assert (await stage.post(stage.address(), callback())).status == 200


async def test_shutting_down(start: Start) -> None:
    """While what is in flight is answered it is not ready; then the admin port is gone as well."""
    disk = Gated()
    stage = await start(admin_port=0, disk=disk)
    post = asyncio.create_task(stage.post(stage.address(), callback()))
    await asyncio.to_thread(disk.waiting.wait, 5)
    closing = asyncio.create_task(stage.running.close())
    await until_ready(stage.running, "shutting_down")
    disk.gate.set()
    await closing
    assert (await post).status == 200
    with pytest.raises(aiohttp.ClientConnectorError):
        await ask(stage.running.admin_url)


@pytest.mark.parametrize(("host", "flag"), [("127.0.0.1", "--admin-port"), ("192.0.2.1", "--admin-host")])
async def test_the_admin_port_is_taken(stage: Stage, host: str, flag: str) -> None:
    """Where the admin port cannot listen, the error names its own flag,
    and the callbacks' port is left free.
    """
    home, port = stage.home, stage.running.port
    with pytest.raises(UsageError, match=flag):
        await serve(home, "127.0.0.1", 0, admin_host=host, admin_port=port)


async def test_no_start_leaves_no_admin_port(stage: Stage) -> None:
    """A receiver that cannot start closes its admin port, too."""
    port = free_port()
    with pytest.raises(UsageError, match="--port"):
        await serve(stage.home, "127.0.0.1", stage.running.port, admin_port=port)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_the_admin_port_has_limits(start: Start) -> None:
    """Its connections are capped and timed like those of the callbacks, and are counted apart."""
    stage = await start(admin_port=0, limits=Limits(connections=1, keepalive_seconds=0.3))
    assert stage.running.admin_url is not None
    port = int(stage.running.admin_url.rpartition(":")[2])
    idle = asyncio.create_task(talk(port, patience=2.0))
    await turns()
    assert status(await talk(port, request("/healthz", method="GET"))) == 200
    assert await idle == b""
    assert stage.running.counts.evicted == 0


async def test_the_admin_port_is_only_looked_at(start: Start) -> None:
    """What would change something elsewhere is refused, and says what is taken."""
    running = (await start(admin_port=0)).running
    async with aiohttp.ClientSession() as session:
        for method, code in (("HEAD", 200), ("POST", 405), ("DELETE", 405)):
            async with session.request(method, f"{running.admin_url}/healthz") as reply:
                assert (reply.status, "Allow" in reply.headers) == (code, code == 405)
