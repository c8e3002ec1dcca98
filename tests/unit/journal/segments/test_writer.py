"""The laws of group commit: one queue and one thread, whatever is appended to whichever folder."""

import asyncio
import errno
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from mwbatch.core.facts.kinds import Fact
from mwbatch.core.facts.lines import line
from mwbatch.errors import DiskFull
from mwbatch.journal.files.disk import Disk
from mwbatch.journal.interface.commit_times import Commits
from mwbatch.journal.segments.folders import FOLDERS
from mwbatch.journal.segments.segment import OwnSegment
from mwbatch.journal.segments.writer import MAX_BYTES, MAX_LINES, Writer
from tests.support.facts import answer, fail, plan, show


class Slate(Disk):
    """Takes what is written when ``gate`` is open; ``error`` is raised instead, once."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.threads: set[int] = set()
        self.gate, self.waiting = threading.Event(), threading.Event()
        self.error = 0

    def write(self, file: int, chunk: bytes | memoryview) -> int:
        """Wait for the gate, then keep the lines."""
        self.waiting.set()
        self.gate.wait(10)
        self.threads.add(threading.get_ident())
        if self.error:
            error, self.error = self.error, 0
            raise OSError(error, "as it was told")
        self.writes.append(bytes(chunk))
        return super().write(file, chunk)

    @property
    def sizes(self) -> list[int]:
        """How many lines each write had, the first write aside."""
        return [text.count(b"\n") for text in self.writes[1:]]


def writer_of(folder: Path, disk: Disk, *more: Any) -> Writer:
    """A writer of a folder in which nothing is."""
    own = {name: OwnSegment(folder / name, "test", disk) for name in FOLDERS}
    return Writer(own, lambda: iter(()), lambda: iter(()), *more)


class Held:
    """A writer that is at its first write, with others queued behind."""

    def __init__(self, folder: Path) -> None:
        self.slate = Slate()
        self.writer = writer_of(folder, self.slate)
        self.appends: list[asyncio.Task[list[bool]]] = []

    async def queue(self, *there: Sequence[Fact]) -> None:
        """Queue appends, in this order."""
        self.appends += [asyncio.create_task(self.writer.append(facts)) for facts in there]
        await asyncio.sleep(0)

    async def release(self) -> list[bytes]:
        """Open the gate; what was written after the first write."""
        self.slate.gate.set()
        await asyncio.gather(*self.appends, return_exceptions=True)
        return self.slate.writes[1:]


def many(count: int) -> list[Fact]:
    """So many facts of one folder."""
    return [show(1, row=n) for n in range(count)]


def great(size: int) -> Fact:
    """A fact whose line has nearly so many bytes."""
    return show(1)._replace(status="x" * (size - 200))


@pytest.fixture
async def held(tmp_path: Path) -> AsyncIterator[Held]:
    held = Held(tmp_path)
    await held.queue([fail(1)])
    await asyncio.to_thread(held.slate.waiting.wait, 10)
    yield held
    held.slate.gate.set()
    await held.writer.close()


async def test_what_queues_meanwhile_goes_out_in_one_write(held: Held) -> None:
    """All that queued while a commit ran is written at once, in its order."""
    await held.queue(*([fact] for fact in many(100)))
    assert await held.release() == [b"".join(map(line, many(100)))]
    assert held.writer.backlog == 0


async def test_a_write_for_each_folder(held: Held) -> None:
    """Whatever one commit has for a folder is one write, plans before the others and answers last."""
    held.writer.index()
    await held.queue([answer(1), show(1), plan(0)], [show(2)], [answer(2), plan(1)])
    texts = [
        b"".join(map(line, facts))
        for facts in ([plan(0), plan(1)], [show(1), show(2)], [answer(1), answer(2)])
    ]
    assert await held.release() == texts


async def test_one_thread_writes(held: Held) -> None:
    """Every write runs in the same thread, which is not the loop's, to whatever folder."""
    held.writer.index()
    for facts in ([show(1)], [plan(0)], [answer(1)]):
        await held.queue(facts)
        await held.release()
    assert len(held.slate.threads) == 1
    assert threading.get_ident() not in held.slate.threads


async def test_no_commit_exceeds_its_lines(held: Held) -> None:
    """A commit takes at most 512 lines, and never a part of an append."""
    half = MAX_LINES // 2 - 1
    await held.queue(*[many(half)] * 5)
    await held.release()
    assert held.slate.sizes == [2 * half, 2 * half, half]


async def test_no_commit_exceeds_its_bytes(held: Held) -> None:
    """A commit takes at most 4 MiB."""
    await held.queue(*[[great(MAX_BYTES // 2)]] * 2, [show(1)], [great(MAX_BYTES)])
    await held.release()
    assert held.slate.sizes == [3, 1]
    assert len(held.slate.writes[1]) <= MAX_BYTES


async def test_a_greater_append_goes_alone(held: Held) -> None:
    """An append beyond the limits is written whole, by itself."""
    await held.queue(many(MAX_LINES * 2))
    await held.queue([show(1)])
    await held.release()
    assert held.slate.sizes == [MAX_LINES * 2, 1]


async def test_the_backlog_is_what_is_not_durable(held: Held) -> None:
    """Bytes count from the moment they are handed in until they are durable."""
    await held.queue([show(1)], [plan(0)])
    assert held.writer.backlog == len(line(fail(1)) + line(show(1)) + line(plan(0)))
    await held.release()
    assert held.writer.backlog == 0


async def test_an_error_reaches_all_of_its_commit_and_no_other(held: Held) -> None:
    """A failed write fails the appends in it; those queued behind go on."""
    held.slate.error = errno.ENOSPC
    await held.queue([show(1)], [show(2)])
    await held.release()
    assert [type(append.exception()) for append in held.appends] == [DiskFull, type(None), type(None)]
    assert held.slate.writes == [line(show(1)) + line(show(2))]


async def test_an_error_in_one_folder_is_no_other_folders(held: Held) -> None:
    """Of one commit only what goes to the folder that failed fails."""
    await held.queue([show(1)], [plan(0)])
    held.slate.gate.set()
    await held.appends[0]
    held.slate.gate.clear()
    held.slate.error = errno.ENOSPC
    await held.release()
    assert [append.exception() is None for append in held.appends] == [True, True, False]


async def test_a_canceled_caller_takes_nothing_back(held: Held) -> None:
    """Canceled in its commit or before it, an append is written all the same."""
    await held.queue([show(1)], [show(2)])
    for append in held.appends[:2]:
        append.cancel()
    assert await held.release() == [line(show(1)) + line(show(2))]
    assert [append.cancelled() for append in held.appends] == [True, True, False]


async def test_an_error_that_nobody_waits_for_is_silent(held: Held) -> None:
    """The commit of a caller that was canceled may fail without a word; others do not suffer."""
    held.slate.error = errno.ENOSPC
    held.appends[0].cancel()
    await held.queue([show(1)])
    await held.release()
    assert held.slate.writes == [line(show(1))]


async def test_close_waits_for_what_was_handed_in(held: Held) -> None:
    """Close returns once everything queued is written, and the thread is gone."""
    await held.queue([show(1)], [show(2)])
    closing = asyncio.create_task(held.writer.close())
    await asyncio.sleep(0.01)
    assert not closing.done()
    held.slate.gate.set()
    await closing
    assert held.slate.writes == [line(fail(1)), line(show(1)) + line(show(2))]
    with pytest.raises(RuntimeError):
        await held.writer.append([show(3)])


async def test_a_closer_that_is_cancelled_takes_nothing_back(held: Held) -> None:
    """Cancelling whoever closes loses nothing that was handed in, and it may be closed once more."""
    await held.queue([show(1)], [show(2)])
    for _ in range(2):
        closing = asyncio.create_task(held.writer.close())
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
    assert await held.release() == [line(show(1)) + line(show(2))]


async def test_commits_are_measured(tmp_path: Path) -> None:
    """A commit is counted with its time and its bytes once it is durable; one that failed is not."""
    commits, slate = Commits(), Slate()
    now: Iterator[float] = iter([0.0, 0.004, 1.0, 1.2, 9.0])
    writer = writer_of(tmp_path, slate, commits, lambda: next(now))
    slate.gate.set()
    await writer.append([show(1)])
    await writer.append([show(2)])
    slate.error = errno.ENOSPC
    with pytest.raises(DiskFull):
        await writer.append([show(3)])
    await writer.close()
    assert sum(commits.seconds.counts) == 2
    assert commits.seconds.total == pytest.approx(0.204)
    assert commits.bytes.total == len(line(show(1)) + line(show(2)))


async def test_nothing_runs_beside_a_commit(held: Held) -> None:
    """Space is looked for between two commits: while one runs, that waits."""
    held.slate.error = errno.ENOSPC
    held.slate.gate.set()
    with pytest.raises(DiskFull):
        await held.appends.pop()
    assert held.writer.full
    held.slate.gate.clear()
    held.slate.waiting.clear()
    await held.queue([plan(0)])
    await asyncio.to_thread(held.slate.waiting.wait, 10)
    probing = asyncio.create_task(held.writer.probe())
    await asyncio.sleep(0.05)
    assert not probing.done()
    await held.release()
    await probing
    assert not held.writer.full


async def test_what_cannot_be_written_claims_nothing(tmp_path: Path) -> None:
    """An answer that no line can be made of fails alone: whole, it is new when it comes again."""
    writer, whole = writer_of(tmp_path, Disk()), answer(1)
    with pytest.raises(TypeError):
        await writer.append([whole._replace(at=object())])  # type: ignore[arg-type]
    async with asyncio.timeout(10):
        assert await writer.append([whole]) == [True]
    await writer.close()
