"""The inbox: what came before its batch did is taken in, and removed only when it is safe elsewhere."""

import errno
from pathlib import Path

import pytest

from mwbatch.commands.settling.inbox import take_in
from mwbatch.core.api.address import Address
from mwbatch.core.api.unusable import Unusable
from mwbatch.core.codec.ids import Attempt, Kid, RowNumber
from mwbatch.core.facts.kinds import Fact, Seen
from mwbatch.errors import Exit, StoreError
from mwbatch.journal.interface.commit_times import Commits
from mwbatch.journal.interface.distrust import suspicions
from mwbatch.journal.interface.open_batch import OpenBatch
from mwbatch.journal.segments.journal import Segments
from mwbatch.journal.segments.unusable_folder import UnusableFolder, read
from tests.support.disks import Failing
from tests.support.facts import answer, show
from tests.support.virtual import virtual
from tests.unit.commands.conftest import Stage


async def put(stage: Stage, batch_id: str, *facts: Fact) -> None:
    """A receiver puts some facts into the inbox of a batch."""
    box = stage.home.mailroom("receiver", Commits()).mailbox(batch_id)
    for fact in facts:
        await box.journal.append([fact])
    await box.close()


def waits(stage: Stage) -> list[str]:
    """The batches for which something waits in an inbox."""
    room = stage.home.mailroom("view", Commits())
    return [batch for batch in room.inboxes() if room.mailbox(batch).waiting()]


async def arrived(stage: Stage, batch_id: str, *facts: Fact) -> Segments:
    """The same in a folder, with what is there."""
    inbox = Segments((stage.path / "inbox" / batch_id), "receiver")
    for fact in facts:
        await inbox.append([fact])
    await inbox.close()
    return inbox


async def taken(batch: OpenBatch) -> int:
    """Take in what is there."""
    try:
        return await take_in(batch)
    finally:
        await batch.journal.close()


@virtual
async def test_what_is_known_already_is_not_new(stage: Stage) -> None:
    """An answer that the journal has counts as old, and its copy in the inbox goes."""
    batch = await stage.opened(2)
    await batch.record([answer(1)])
    await put(stage, batch.info.batch_id, answer(1), answer(1, row=1, task="other"))
    assert (await taken(batch), batch.state.planned) == (1, 2)
    assert (stage.statuses(), waits(stage)) == ({"completed": 2}, [])


@virtual
async def test_no_inbox(stage: Stage) -> None:
    """A batch without an inbox takes nothing in, and none is made; another batch's inbox is left alone."""
    batch = await stage.opened(1)
    await put(stage, "c234567890", answer(1))
    assert (await taken(batch), waits(stage)) == (0, ["c234567890"])
    assert stage.home.mailroom("view", Commits()).inboxes() == ["c234567890"]


@pytest.mark.files
@virtual
async def test_what_could_not_be_kept_stays(stage: Stage) -> None:
    """Where the journal cannot be written the inbox keeps everything."""
    batch = await stage.opened(1, Failing(write=[errno.EIO]))
    inbox = await arrived(stage, batch.info.batch_id, answer(1))
    with pytest.raises(StoreError):
        await taken(batch)
    assert len(list(inbox.folder.rglob("*.jsonl"))) == 1


@pytest.mark.files
@virtual
async def test_a_torn_end_was_never_acknowledged(stage: Stage) -> None:
    """A segment with a torn end is taken in and removed: its last line was promised to nobody."""
    batch = await stage.opened(1)
    inbox = await arrived(stage, batch.info.batch_id, answer(1))
    [segment] = inbox.folder.rglob("*.jsonl")
    segment.write_bytes(segment.read_bytes() + b'{"v":1')
    assert (await taken(batch), segment.exists()) == (1, False)


@pytest.mark.files
@virtual
async def test_a_segment_that_stays_gives_nothing_twice(stage: Stage) -> None:
    """While a receiver still writes, each reconciliation takes in what is new: answers,
    and tasks without one.
    """
    batch = await stage.opened(3)
    inbox = Segments((stage.path / "inbox" / batch.info.batch_id), "receiver")
    await inbox.append([answer(1), show(1, "canceled", row=1), show(1, "canceled", row=1)])
    assert [await take_in(batch), await take_in(batch)] == [2, 0]
    await inbox.append([show(1, "canceled", row=2)])
    assert [await take_in(batch), await take_in(batch)] == [1, 0]
    await inbox.close()
    assert await taken(batch) == 0
    assert len([fact for fact in stage.on_disk() if isinstance(fact, Seen)]) == 3
    assert stage.statuses() == {"completed": 1, "canceled": 2}
    assert not list(inbox.folder.rglob("*.jsonl"))


@pytest.mark.files
@virtual
async def test_damage_is_reported(stage: Stage) -> None:
    """A damaged line of the inbox counts as one of the batch, before it is taken in and after;
    the file stays as it is.
    """
    batch = await stage.opened(2)
    inbox = await arrived(stage, batch.info.batch_id, answer(1), answer(1, row=1))
    [segment] = inbox.folder.rglob("*.jsonl")
    text = segment.read_bytes().replace(b"task-1", b"task-9", 1)
    segment.write_bytes(text)
    assert batch.report().damaged_lines == 1
    assert await taken(batch) == 1
    assert batch.report().damaged_lines == 1
    assert batch.report().exit(done=True) is Exit.MACHINE
    assert segment.read_bytes() == text
    assert not [words for words in suspicions(batch) if "damaged" in words]


@pytest.mark.files
@virtual
async def test_rejects_are_moved(stage: Stage) -> None:
    """Rejects in the inbox count for the batch, and are moved into its folder once nobody writes them."""
    batch = await stage.opened(1)
    shelf = UnusableFolder((stage.path / "inbox" / batch.info.batch_id), "receiver", 1000)
    shelf.append(
        Unusable.of(
            Address(Kid("k1"), batch.info.batch_id, RowNumber(0), Attempt(1), "0" * 32),
            "not_json",
            b"{",
            1.0,
            10,
        )
    )
    for writing in (True, False):
        assert await taken(batch) == 0
        assert batch.report().rejected_callbacks == 1
        assert bool(list(read(Path(batch.where)))) is not writing
        shelf.close()
    assert not list(read(stage.path / "inbox" / batch.info.batch_id))


@pytest.mark.files
@virtual
async def test_rejects_that_cannot_be_moved(stage: Stage) -> None:
    """Rejects that cannot be moved keep nothing else from being taken in, and count where they are."""
    batch = await stage.opened(1)
    inbox = await arrived(stage, batch.info.batch_id, answer(1))
    shelf = UnusableFolder((stage.path / "inbox" / batch.info.batch_id), "receiver", 1000)
    shelf.append(
        Unusable.of(
            Address(Kid("k1"), batch.info.batch_id, RowNumber(0), Attempt(1), "0" * 32),
            "not_json",
            b"{",
            1.0,
            10,
        )
    )
    shelf.close()
    (Path(batch.where) / "rejects").write_bytes(b"no folder")
    assert await taken(batch) == 1
    assert batch.report().rejected_callbacks == 1
    assert not list((inbox.folder / "results").iterdir())
