"""The inbox: what came before its batch did is taken in, and removed only when it is safe elsewhere."""

import errno

import pytest

from mwbatch.commands.inbox import take_in
from mwbatch.core.facts import Fact
from mwbatch.errors import StoreError
from mwbatch.journal.opened import Opened
from mwbatch.journal.segments import Segments
from tests.commands.conftest import Stage
from tests.core.facts import answer
from tests.journal.disks import Failing
from tests.virtual import virtual


async def arrived(stage: Stage, batch_id: str, *facts: Fact) -> Segments:
    """The closed inbox of a batch, in which a receiver has put some facts."""
    inbox = Segments(stage.home.inbox(batch_id), "receiver")
    for fact in facts:
        await inbox.append([fact])
    await inbox.close()
    return inbox


async def taken(batch: Opened) -> int:
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
    inbox = await arrived(stage, batch.card.batch_id, answer(1), answer(1, row=1, task="other"))
    assert (await taken(batch), batch.state.planned) == (1, 2)
    assert stage.statuses() == {"completed": 2}
    assert not list(inbox.folder.rglob("*.jsonl"))


@virtual
async def test_no_inbox(stage: Stage) -> None:
    """A batch without an inbox takes nothing in, and none is made; another batch's inbox is left alone."""
    batch = await stage.opened(1)
    inbox = await arrived(stage, "c234567890", answer(1))
    assert await taken(batch) == 0
    assert len(list(inbox.folder.rglob("*.jsonl"))) == 1
    assert not stage.home.inbox(batch.card.batch_id).exists()


@virtual
async def test_what_could_not_be_kept_stays(stage: Stage) -> None:
    """Where the journal cannot be written the inbox keeps everything."""
    batch = await stage.opened(1, Failing(write=[errno.EIO]))
    inbox = await arrived(stage, batch.card.batch_id, answer(1))
    with pytest.raises(StoreError):
        await taken(batch)
    assert len(list(inbox.folder.rglob("*.jsonl"))) == 1


@virtual
async def test_a_torn_end_was_never_acknowledged(stage: Stage) -> None:
    """A segment with a torn end is taken in and removed: its last line was promised to nobody."""
    batch = await stage.opened(1)
    inbox = await arrived(stage, batch.card.batch_id, answer(1))
    [segment] = inbox.folder.rglob("*.jsonl")
    segment.write_bytes(segment.read_bytes() + b'{"v":1')
    assert (await taken(batch), segment.exists()) == (1, False)
