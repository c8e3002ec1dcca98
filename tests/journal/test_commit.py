"""The laws of group commit."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from mwbatch.errors import DiskFull
from mwbatch.journal.commit import MAX_BYTES, MAX_LINES, Committer
from mwbatch.journal.measure import Commits


class Slate:
    """Takes what is written when ``gate`` is open; ``error`` is raised instead, once."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.threads: set[int] = set()
        self.gate, self.waiting = threading.Event(), threading.Event()
        self.error: Exception | None = None

    def write(self, lines: bytes) -> None:
        """Wait for the gate, then keep the lines."""
        self.waiting.set()
        self.gate.wait(10)
        self.threads.add(threading.get_ident())
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        self.writes.append(lines)


class Held:
    """A committer that is at its first write, ``first``, with others queued behind."""

    def __init__(self) -> None:
        self.slate = Slate()
        self.committer = Committer(self.slate.write, "test")
        self.appends: list[asyncio.Task[None]] = []

    async def queue(self, *lines: bytes, count: int = 1) -> None:
        """Queue appends, in this order."""
        self.appends += [asyncio.create_task(self.committer.append(each, count)) for each in lines]
        await asyncio.sleep(0)

    async def release(self) -> list[bytes]:
        """Open the gate; what was written after the first write."""
        self.slate.gate.set()
        await asyncio.gather(*self.appends, return_exceptions=True)
        return self.slate.writes[1:]


@pytest.fixture
async def held() -> AsyncIterator[Held]:
    held = Held()
    await held.queue(b"first")
    await asyncio.to_thread(held.slate.waiting.wait, 10)
    yield held
    held.slate.gate.set()
    await held.committer.close()


async def test_what_queues_meanwhile_goes_out_in_one_write(held: Held) -> None:
    """All that queued while a commit ran is written at once, in its order."""
    await held.queue(*(b"%d\n" % n for n in range(100)))
    assert await held.release() == [b"".join(b"%d\n" % n for n in range(100))]
    assert held.committer.backlog == 0


async def test_one_thread_writes(held: Held) -> None:
    """Every write runs in the same thread, which is not the loop's."""
    await held.queue(b"a")
    await held.release()
    await held.queue(b"b")
    await held.release()
    assert len(held.slate.threads) == 1
    assert threading.get_ident() not in held.slate.threads


async def test_no_commit_exceeds_its_lines(held: Held) -> None:
    """A commit takes at most 512 lines, and never a part of an append."""
    await held.queue(*[b"x"] * 5, count=MAX_LINES // 2 - 1)
    assert await held.release() == [b"xx", b"xx", b"x"]


async def test_no_commit_exceeds_its_bytes(held: Held) -> None:
    """A commit takes at most 4 MiB."""
    await held.queue(*[b"x" * (MAX_BYTES // 2)] * 2, b"y", b"z" * MAX_BYTES)
    assert [len(lines) for lines in await held.release()] == [MAX_BYTES, 1, MAX_BYTES]


async def test_a_greater_append_goes_alone(held: Held) -> None:
    """An append beyond the limits is written whole, by itself."""
    await held.queue(b"a", count=MAX_LINES * 2)
    await held.queue(b"b")
    assert await held.release() == [b"a", b"b"]


async def test_the_backlog_is_what_is_not_durable(held: Held) -> None:
    """Bytes count from the moment they are handed in until they are durable."""
    await held.queue(b"abc", b"de")
    assert held.committer.backlog == len(b"first" + b"abc" + b"de")
    await held.release()
    assert held.committer.backlog == 0


async def test_an_error_reaches_all_of_its_commit_and_no_other(held: Held) -> None:
    """A failed write fails the appends in it; those queued behind go on."""
    held.slate.error = DiskFull("no space")
    await held.queue(b"a", b"b")
    assert await held.release() == [] or held.slate.writes == [b"ab"]
    outcomes = [append.exception() for append in held.appends]
    assert [type(outcome) for outcome in outcomes] == [DiskFull, type(None), type(None)]
    assert held.slate.writes == [b"ab"]


async def test_a_canceled_caller_takes_nothing_back(held: Held) -> None:
    """Canceled in its commit or before it, an append is written all the same."""
    await held.queue(b"a", b"b")
    for append in held.appends[:2]:
        append.cancel()
    assert await held.release() == [b"ab"]
    assert [append.cancelled() for append in held.appends] == [True, True, False]


async def test_an_error_that_nobody_waits_for_is_silent(held: Held) -> None:
    """The commit of a caller that was canceled may fail without a word; others do not suffer."""
    held.slate.error = DiskFull("no space")
    held.appends[0].cancel()
    await held.queue(b"a")
    await held.release()
    assert held.slate.writes == [b"a"]


async def test_close_waits_for_what_was_handed_in(held: Held) -> None:
    """Close returns once everything queued is written, and the thread is gone."""
    await held.queue(b"a", b"b")
    closing = asyncio.create_task(held.committer.close())
    await asyncio.sleep(0.01)
    assert not closing.done()
    held.slate.gate.set()
    await closing
    assert held.slate.writes == [b"first", b"ab"]
    with pytest.raises(RuntimeError):
        await held.committer.append(b"late", 1)


async def test_a_closer_that_is_cancelled_takes_nothing_back(held: Held) -> None:
    """Cancelling whoever closes loses nothing that was handed in, and it may be closed once more."""
    await held.queue(b"a", b"b")
    for _ in range(2):
        closing = asyncio.create_task(held.committer.close())
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
    assert await held.release() == [b"ab"]


async def test_commits_are_measured() -> None:
    """A commit is counted with its time and its bytes once it is durable; one that failed is not."""
    commits, now, slate = Commits(), iter([0.0, 0.004, 1.0, 1.2, 9.0]), Slate()
    committer = Committer(slate.write, "test", commits, lambda: next(now))
    slate.gate.set()
    await committer.append(b"abc", 1)
    await committer.append(b"de", 1)
    slate.error = DiskFull("no space")
    with pytest.raises(DiskFull):
        await committer.append(b"f", 1)
    await committer.close()
    assert sum(commits.seconds.counts) == 2
    assert commits.seconds.total == pytest.approx(0.204)
    assert commits.bytes.total == 5


async def test_nothing_runs_beside_a_commit(held: Held) -> None:
    """What runs between two commits waits for the one that runs, and the next waits for it."""
    order: list[str] = []
    between = asyncio.create_task(held.committer.between(lambda: order.append("between")))
    await asyncio.sleep(0.05)
    assert not order
    await held.release()
    await between
    assert order == ["between"]
