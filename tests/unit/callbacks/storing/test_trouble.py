"""When the disk fails: what is answered, and what is on disk then."""

import asyncio
import errno
import time
from pathlib import Path

import aiohttp
import pytest

from mwbatch.callbacks.common.limits import Limits
from mwbatch.callbacks.common.readiness import State
from mwbatch.callbacks.receiver import Receiver
from mwbatch.callbacks.storing.routing import Routing
from mwbatch.errors import Poisoned, StoreError, UsageError
from mwbatch.journal.keys.home_keys import keys_of
from tests.support.disks import Failing, Gated
from tests.unit.callbacks.conftest import Start
from tests.unit.callbacks.stage import BATCH, add_batch, callback, make_home, request, talk, turns

FULL = [errno.ENOSPC, errno.EDQUOT]


async def test_a_full_disk_recovers(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """While the disk is full the answer is 503 and 300 seconds; once there is space it is 200,
    without a restart.
    """
    stage = await start(disk=Failing(write=["short", *FULL]))
    replies = [await stage.post(stage.address(), callback()) for _ in range(3)]
    assert [(reply.status, reply.retry_after) for reply in replies] == [
        (503, "300"),
        (503, "300"),
        (200, None),
    ]
    assert len(stage.lines()) == 1
    assert stage.running.failure is None
    assert "; free some, it goes on by itself" in caplog.text
    assert "storing again" in caplog.text


async def test_no_space_for_a_segment(start: Start) -> None:
    """A segment that cannot even be made is a full disk too."""
    stage = await start(disk=Failing(create=FULL))
    replies = [await stage.post(stage.address(), callback()) for _ in range(3)]
    assert [reply.retry_after for reply in replies] == ["300", "300", None]
    assert len(stage.lines()) == 1


@pytest.mark.parametrize("fates", [{"write": [errno.EIO]}, {"sync": [None, errno.EIO]}])
async def test_poison(start: Start, fates: dict[str, list[int | None]]) -> None:
    """After a failed write or sync nothing is stored any more: 503 and 60 seconds,
    and the failure is shown.
    """
    stage = await start(disk=Failing(**fates))
    replies = [await stage.post(stage.address(row), callback()) for row in range(3)]
    assert [(reply.status, reply.retry_after) for reply in replies] == [(503, "60")] * 3
    assert isinstance(stage.running.failure, Poisoned)
    assert stage.running.counts.received == 0


async def test_one_trouble_one_line(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """A trouble is logged once, not for each callback that meets it."""
    stage = await start(disk=Failing(write=[errno.EIO]))
    for row in range(3):
        await stage.post(stage.address(row), callback())
    assert caplog.text.count("answering 503") == 1
    assert "free some" not in caplog.text


async def test_copies_share_a_failure(start: Start) -> None:
    """Copies that waited for one commit are all 503 when it fails; none is 200 for what is not there."""
    stage = await start(disk=Failing(sync=[None, errno.EIO]))
    replies = await asyncio.gather(*(stage.post(stage.address(), callback()) for _ in range(5)))
    assert {reply.status for reply in replies} == {503}


async def test_no_answer_before_the_sync(start: Start) -> None:
    """As long as the sync has not returned, nobody is answered."""
    disk = Gated()
    stage = await start(disk=disk)
    post = asyncio.create_task(stage.post(stage.address(), callback()))
    await asyncio.to_thread(disk.waiting.wait, 5)
    done, _ = await asyncio.wait([post], timeout=0.1)
    disk.gate.set()
    assert not done
    assert (await post).status == 200


async def test_a_backlog_is_bounded(start: Start) -> None:
    """While more lines wait for the disk than may, the answer is 503; what waited is answered 200."""
    disk = Gated()
    stage = await start(disk=disk, limits=Limits(backlog=100))
    first = asyncio.create_task(stage.post(stage.address(1), callback()))
    await asyncio.to_thread(disk.waiting.wait, 5)
    second = await stage.post(stage.address(2), callback())
    disk.gate.set()
    assert (second.status, second.retry_after) == (503, "60")
    assert (await first).status == 200
    assert len(stage.lines()) == 1


async def test_shutdown_while_committing(start: Start) -> None:
    """Closing lets the commit that runs be answered; after it 200 was said for what is on disk,
    and only for that.
    """
    disk = Gated()
    stage = await start(disk=disk)
    posts = [asyncio.create_task(stage.post(stage.address(row), callback(f"t{row}"))) for row in range(5)]
    await asyncio.to_thread(disk.waiting.wait, 5)
    closing = asyncio.create_task(stage.running.close())
    await turns()
    disk.gate.set()
    await closing
    replies = await asyncio.gather(*posts)
    assert [(reply.status, reply.connection) for reply in replies] == [(200, "close")] * 5
    assert len(stage.lines()) == 5


async def test_shutdown_that_cannot_wait(start: Start) -> None:
    """A commit that outlasts the shutdown is finished, though nobody was answered for it."""
    disk = Gated()
    stage = await start(disk=disk, limits=Limits(shutdown_seconds=0.1))
    post = asyncio.create_task(stage.post(stage.address(), callback()))
    await asyncio.to_thread(disk.waiting.wait, 5)
    closing = asyncio.create_task(stage.running.close())
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await post
    disk.gate.set()
    await closing
    assert len(stage.lines()) == 1


async def test_one_poisoned_journal_keeps_no_other_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However a journal failed, at the end all are closed; the first failure is the one that is told."""
    closed: list[bool] = []

    async def close(_: Routing) -> StoreError | None:
        closed.append(True)
        return StoreError("another")

    monkeypatch.setattr(Routing, "close", close)
    receiver = Receiver(make_home(tmp_path, BATCH))
    async with receiver.opened():
        receiver.failure = first = Poisoned("first")
    assert closed == [True]
    assert receiver.failure is first


async def test_a_batch_that_stands_twice(start: Start) -> None:
    """While the home cannot be read, callbacks of unknown batches go to the inbox,
    and known batches are served.
    """
    stage = await start()
    (add_batch(stage.home, "other67890") / "batch.json").write_bytes(b"{")
    await asyncio.sleep(1.0)
    assert (await stage.post(stage.address(), callback())).status == 200
    assert (await stage.post(stage.address(batch="other67890"), callback())).status == 200
    assert stage.running.counts.inbox == 1


async def test_a_damaged_results_store(start: Start) -> None:
    """A journal that cannot be understood takes nothing: 503, and nothing is guessed."""
    stage = await start()
    folder = (stage.home.path / "inbox" / "elsewhere") / "results"
    folder.mkdir(parents=True)
    (folder / "x.jsonl").mkdir()
    assert (await stage.post(stage.address(batch="elsewhere"), callback())).status == 503


async def test_an_error_at_close(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """A file that cannot be closed is logged, and the failure is shown after closing."""
    stage = await start(disk=Failing(close=[errno.EIO, errno.EIO]))
    assert (await stage.post(stage.address(), callback())).status == 200
    await stage.running.close()
    assert isinstance(stage.running.failure, Poisoned)
    assert "could not be closed" in caplog.text


async def test_damage_is_told_at_the_start(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """Lines that cannot be read are passed over and told, with their place; the file stays as it was."""
    stage = await start()
    for row in range(3):
        await stage.post(stage.address(row), callback(f"t{row}"))
    await stage.running.close()
    [(path, text)] = stage.files().items()
    harmed = text[:9] + b"!" + text[10:] + b"half"
    path.write_bytes(harmed)
    again = await start()
    assert f"{path} is damaged at byte 0, " in caplog.text
    assert f"{path} is torn at byte {len(text)}, 4 bytes" in caplog.text
    assert [(await again.post(again.address(row), callback(f"t{row}"))).status for row in range(3)] == [
        200
    ] * 3
    assert (path.read_bytes(), again.running.counts.stored) == (harmed, 1)


async def test_our_own_bug(
    start: Start, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody foresaw is 503 without a trace, and a log line that names the place but no address."""
    stage = await start()
    monkeypatch.setattr("mwbatch.callbacks.receiver.read", None)
    reply = await stage.post(stage.address(), callback())
    assert (reply.status, reply.body) == (503, b"503: cannot store")
    assert "TypeError at" in caplog.text
    assert stage.path()[-32:] not in caplog.text


async def test_shutdown_does_not_wait_for_ever(start: Start) -> None:
    """A body that does not end holds the shutdown up for as long as it may, and no longer."""
    stage = await start(limits=Limits(shutdown_seconds=0.3, body_seconds=60.0))
    half = asyncio.create_task(talk(stage.running.port, request(stage.path(), body=callback())[:-1]))
    await turns()
    began = time.monotonic()
    await stage.running.close()
    assert 0.25 < time.monotonic() - began < 1.5
    assert b"200 OK" not in await half
    assert not stage.lines()


async def test_a_receiver_that_could_not_be_opened(tmp_path: Path) -> None:
    """Where it cannot be opened it says so and is not ready; once that is mended it can be."""
    home = make_home(tmp_path / "home", BATCH)
    keys_of(home)
    keys = home.path / "keys.json"
    right = keys.read_bytes()
    keys.write_bytes(b"{")
    receiver, entered = Receiver(home), False
    with pytest.raises(UsageError, match="no usable callback keys"):
        async with receiver:
            entered = True
    assert (entered, receiver.readiness.state) == (False, State.STARTING)
    keys.write_bytes(right)
    async with receiver:
        assert receiver.readiness.state is State.READY
