"""Callbacks that cannot be taken: their bytes are kept, within bounds, and nobody waits for that."""

import asyncio
import errno
import time
from hashlib import sha256
from pathlib import Path

import pytest

from mwbatch.callbacks.common.counts import Counts
from mwbatch.callbacks.common.limits import LIMITS, Limits
from mwbatch.callbacks.storing.unusable_callbacks import Bucket, UnusableCallbacks
from mwbatch.core.api.address import Address
from mwbatch.core.api.receiver_probe import probe_address
from mwbatch.core.api.unusable import Unusable
from mwbatch.core.codec.ids import Attempt, Kid, RowNumber
from mwbatch.errors import StoreError
from mwbatch.journal.home.home import Home
from mwbatch.journal.interface.belongings import Mailbox
from mwbatch.journal.interface.commit_times import Commits
from mwbatch.journal.segments.unusable_folder import REJECTS, read
from tests.support.disks import Failing, Gated
from tests.unit.callbacks.conftest import Start
from tests.unit.callbacks.stage import BATCH, Stage, add_batch, callback, request, status, talk, until

SMALL = Limits(body=1000, body_seconds=0.3, lingering_seconds=0.1)


async def kept(stage: Stage, batch: str = f"named-{BATCH}") -> list[Unusable]:
    """What the receiver has kept of a batch once it is closed."""
    await stage.running.close()
    return list(read(stage.home.path / batch))


async def unkept(stage: Stage, count: int) -> None:
    """Wait until so many were only counted."""
    await until(lambda: stage.running.counts.unkept == count)


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff\0\n", callback() + b"x", b'{"response":{}}'])
async def test_the_bytes_are_kept(stage: Stage, raw: bytes) -> None:
    """A body that is no callback is 400, and its bytes are kept with row, attempt, size and digest;
    it is no fact.
    """
    assert (await stage.post(stage.address(7, 2), raw)).status == 400
    [reject] = await kept(stage)
    assert (reject.row, reject.attempt, reject.body, reject.truncated) == (7, 2, raw, False)
    assert (reject.size, reject.sha256) == (len(raw), sha256(raw).hexdigest())
    assert reject.reason in ("not_json", "not_task")
    assert abs(reject.at - time.time()) < 60
    assert not stage.lines()
    assert (stage.running.counts.kept, stage.running.counts.unkept) == (1, 0)


async def test_another_coding(stage: Stage) -> None:
    """What comes coded is 415 and kept: it is a callback as good as its sender could make it."""
    for _ in range(2):
        assert (await stage.post(stage.address(), callback(), Content_Encoding="br")).status == 415
    [reject] = await kept(stage)
    assert (reject.reason, reject.body) == ("encoding", callback())


@pytest.mark.parametrize(
    "head",
    [
        ["Content-Encoding: br", "Content-Length: 9999999999"],
        ["Content-Encoding: br", "Content-Length: 999"],
        ["Content-Encoding: br", "Transfer-Encoding: chunked"],
        ["Content-Encoding: br", "Content-Length: 20", "Expect: 100-continue"],
    ],
)
async def test_a_body_that_stays_away(start: Start, head: list[str]) -> None:
    """A body of another coding that is too large, or does not come, or waits to be asked for,
    changes nothing: 415.
    """
    stage = await start(limits=SMALL)
    raw = request(stage.path(), *head, length=False)
    assert status(await talk(stage.running.port, raw, patience=2)) == 415
    assert not await kept(stage)


async def test_what_is_not_kept(start: Start) -> None:
    """A wrong address, a wrong method, a bad probe and what is too large or too slow leave nothing."""
    stage = await start(limits=SMALL)
    port, right = stage.running.port, stage.path()
    pieces = [
        (request(right[:-1], body=b"{"), 404),
        (request(right, method="PUT", body=b"{"), 405),
        (request(right, body=b"{" * 1001), 413),
        (request(right, body=b"{{")[:-1], 408),
    ]
    for raw, code in pieces:
        assert status(await talk(port, raw)) == code
    probe = probe_address(stage.running.url, stage.key)
    assert (await stage.post(probe, b"{")).status == 400
    assert (await stage.post(probe, b"{", Content_Encoding="br")).status == 415
    assert not await kept(stage)
    assert not list(stage.home.path.rglob(REJECTS))


async def test_no_mac_on_disk(stage: Stage) -> None:
    """Neither the line nor the body in it holds the mac of an address, the one posted to or another."""
    url, other = stage.address(3), stage.address(4)
    await stage.post(url, callback(callback_url=url, also=other) + b"}")
    [reject] = await kept(stage)
    [path] = (stage.home.path / f"named-{BATCH}" / REJECTS).iterdir()
    for mac in (url[-32:].encode(), other[-32:].encode()):
        assert mac not in path.read_bytes() + reject.body
    assert reject.body.count(b"*" * 32) == 2


async def test_the_same_is_kept_once(stage: Stage) -> None:
    """The same bytes at the same address are kept once; other bytes, or another address,
    are another reject.
    """
    for row, raw in ((1, b"{"), (1, b"{"), (1, b"}"), (2, b"{"), (1, b"{")):
        assert (await stage.post(stage.address(row), raw)).status == 400
    assert [(one.row, one.body) for one in await kept(stage)] == [(1, b"{"), (1, b"}"), (2, b"{")]
    assert (stage.running.counts.kept, stage.running.counts.unkept) == (3, 0)


async def test_a_flood_is_only_counted(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """Beyond the burst each is still 400, nothing more is written, all are counted, and it is said once."""
    stage = await start(limits=Limits(reject_burst=3, reject_rate=0.0))
    for row in range(20):
        assert (await stage.post(stage.address(row), b"{")).status == 400
    assert len(await kept(stage)) == 3
    assert (stage.running.counts.kept, stage.running.counts.unkept) == (3, 17)
    assert caplog.text.count("too fast") == 1


@pytest.mark.parametrize("bound", ["reject_segment", "reject_folder"])
async def test_a_bound_in_bytes(start: Start, bound: str, caplog: pytest.LogCaptureFixture) -> None:
    """What one process keeps of a batch, and what a batch's folder holds, never grows beyond its bound."""
    stage = await start(limits=Limits(reject_burst=100, **{bound: 2000}))
    for row in range(50):
        assert (await stage.post(stage.address(row), b"{" * 100)).status == 400
    there = await kept(stage)
    [path] = (stage.home.path / f"named-{BATCH}" / REJECTS).iterdir()
    assert 1500 < path.stat().st_size <= 2000
    assert (stage.running.counts.kept, stage.running.counts.unkept) == (len(there), 50 - len(there))
    assert caplog.text.count("only counted") == 1


async def test_a_great_body_is_cut(start: Start) -> None:
    """Of a great body the beginning is kept, with the size and digest of the whole."""
    stage = await start(limits=Limits(reject_body=100))
    raw = b"[" * 50_000
    await stage.post(stage.address(), raw)
    [reject] = await kept(stage)
    assert (reject.size, reject.truncated, reject.body) == (50_000, True, raw[:100])
    assert reject.sha256 == sha256(raw).hexdigest()


async def test_nobody_waits_for_the_disk(start: Start) -> None:
    """While the disk hangs the sender has his 400; once it moves, what waited is kept."""
    disk = Gated()
    stage = await start(disk=disk)
    assert (await asyncio.wait_for(stage.post(stage.address(), b"{"), 2)).status == 400
    await asyncio.to_thread(disk.waiting.wait, 5)
    disk.gate.set()
    assert len(await kept(stage)) == 1


@pytest.mark.parametrize(
    "fates", [{"create": [errno.ENOSPC] * 3}, {"write": [errno.EIO]}, {"sync": [5, 5, 5]}]
)
async def test_a_disk_that_fails(
    start: Start, fates: dict[str, list[int]], caplog: pytest.LogCaptureFixture
) -> None:
    """A disk that fails is told of once, costs a reject and nothing else: 400 all the same,
    and callbacks are stored.
    """
    stage = await start(disk=Failing(**fates))
    counts = stage.running.counts
    for row in range(3):
        assert (await stage.post(stage.address(row), b"{")).status == 400
        await unkept(stage, row + 1)
    assert caplog.text.count("only counted") == 1
    assert "our own bug" not in caplog.text
    assert (await stage.post(stage.address(9), callback())).status == 200
    assert (stage.running.failure, counts.kept, counts.unkept) == (None, 0, 3)
    assert not await kept(stage)


async def test_space_comes_back(start: Start) -> None:
    """What a full disk refused is kept when the sender tries again."""
    stage = await start(disk=Failing(create=[errno.ENOSPC]))
    await stage.post(stage.address(), b"{")
    await unkept(stage, 1)
    await stage.post(stage.address(), b"{")
    assert len(await kept(stage)) == 1


async def test_a_folder_that_was_cleared(stage: Stage) -> None:
    """Somebody may clear the folder while the receiver runs: what comes later is kept."""
    await stage.post(stage.address(1), b"{")
    await until(lambda: stage.running.counts.kept == 1)
    for path in (stage.home.path / f"named-{BATCH}" / REJECTS).iterdir():
        path.unlink()
    await stage.post(stage.address(2), b"{")
    assert [one.row for one in await kept(stage)] == [2]


async def test_a_batch_that_is_not_here(stage: Stage) -> None:
    """The rejects of a batch that is not here are kept in its inbox; once it appears, in its folder."""
    await stage.post(stage.address(1, batch="later67890"), b"{")
    await until(lambda: stage.running.counts.kept == 1)
    assert [one.row for one in read(stage.home.path / "inbox" / "later67890")] == [1]
    folder = add_batch(stage.home, "later67890")
    await asyncio.sleep(1.0)
    await stage.post(stage.address(2, batch="later67890"), b"{")
    assert [one.row for one in await kept(stage, folder.name)] == [2]


async def test_our_own_bug_changes_no_answer(
    start: Start, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """If keeping breaks in a way that nobody foresaw, the answer is the same."""
    stage = await start()
    monkeypatch.setattr("mwbatch.callbacks.storing.unusable_callbacks.Unusable", None)
    assert (await stage.post(stage.address(), b"{")).status == 400
    assert (stage.running.counts.unkept, "AttributeError" in caplog.text) == (1, True)


async def test_a_folder_that_cannot_be_told() -> None:
    """Where the home cannot be read, a reject is counted as not kept."""

    async def nowhere(_: str) -> None:
        raise StoreError("cannot read")

    counts = Counts()
    rejects = UnusableCallbacks(nowhere, counts, LIMITS)  # type: ignore[arg-type]  # it never returns
    rejects.keep(Address(Kid("k1"), BATCH, RowNumber(0), Attempt(1), "0" * 32), "not_json", b"{", 0.0)
    await rejects.close()
    assert (counts.kept, counts.unkept) == (0, 1)


async def test_a_cancelled_close_keeps_what_came(tmp_path: Path) -> None:
    """Cancelling whoever closes loses none of the bytes that were to be kept."""
    gate, counts = asyncio.Event(), Counts()

    async def mailbox(_: str) -> Mailbox:
        await gate.wait()
        return there

    there = Home(tmp_path).mailroom("receiver", Commits()).mailbox(BATCH)
    rejects = UnusableCallbacks(mailbox, counts, LIMITS)
    for row in range(3):
        rejects.keep(Address(Kid("k1"), BATCH, RowNumber(row), Attempt(1), "0" * 32), "not_json", b"{", 0.0)
    for _ in range(2):
        closing = asyncio.create_task(rejects.close())
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
    gate.set()
    await rejects.close()
    await there.close()
    assert ([one.row for one in read(Path(there.where))], counts.kept) == ([0, 1, 2], 3)


def test_a_bucket() -> None:
    """A full bucket gives its burst at once, then one token for each that came in,
    and never holds more than its burst.
    """
    bucket = Bucket(rate=2.0, most=3, now=100.0)
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(100.4), bucket.take(100.5), bucket.take(100.6)] == [False, True, False]
    assert [bucket.take(900.0) for _ in range(4)] == [True, True, True, False]
