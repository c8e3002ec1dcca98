"""Which journal takes a callback, when many come at once."""

import asyncio
import errno
from pathlib import Path

import pytest

from mwbatch.callbacks.storing.routing import Routing
from mwbatch.core.facts.lines import line
from mwbatch.errors import DiskFull, StoreError
from mwbatch.journal.home.home import Home
from mwbatch.journal.interface.batch_info import BatchInfo
from mwbatch.journal.interface.commit_times import Commits
from mwbatch.journal.interface.ref import Ref
from mwbatch.journal.segments.journal import Segments
from tests.support.disks import Failing
from tests.support.facts import answer
from tests.unit.callbacks.stage import add_batch

BATCH, MANY = "b234567890", 40


@pytest.mark.parametrize("is_here", [True, False])
async def test_many_first_callbacks_make_one_journal(tmp_path: Path, is_here: bool) -> None:
    """However many come at once for a batch that nobody asked for before, one journal takes them,
    and each answer once.
    """
    home = Home(tmp_path / "home")
    stores = Routing(home)
    await stores.open()
    if is_here:
        home.create(BatchInfo("logos", BATCH, "http://127.0.0.1:1", "/m.csv", None, ()))

    async def store(row: int) -> bool:
        kept = await stores.keep(BATCH, answer(1, row=row))
        assert kept.inbox is not is_here
        return kept.new

    new = await asyncio.gather(*(store(number % 4) for number in range(MANY)))
    assert sum(new) == 4
    folder = Path((await stores.mailbox(BATCH)).where)
    assert await stores.close() is None
    [segment] = (folder / "results").iterdir()
    assert len(segment.read_bytes().splitlines()) == 4


async def test_copies_on_their_way_take_no_room(tmp_path: Path) -> None:
    """However many copies of one answer come at once,
    three others of its task that come with them are stored beside it.
    """
    home = Home(tmp_path / "home")
    add_batch(home, BATCH)
    stores = Routing(home)
    await stores.open()
    came = (*[1] * 5, 2, *[1] * 5, 3, *[2] * 5, 4, *[4] * 5)
    kept = await asyncio.gather(*(stores.keep(BATCH, answer(1, str(number))) for number in came))
    assert [number for number, one in zip(came, kept, strict=True) if one.new] == [1, 2, 3, 4]
    assert await stores.close() is None


async def test_one_journal_without_space_is_not_hidden_by_another(tmp_path: Path) -> None:
    """While one journal of several lacks space that is said; once there is space for it, no longer."""
    home, other = Home(tmp_path / "home"), "c234567890"
    add_batch(home, BATCH)
    add_batch(home, other)
    stores = Routing(Home(home.path, disk=Failing(write=[None, errno.ENOSPC, errno.ENOSPC])))
    await stores.open()
    assert (await stores.keep(other, answer(1))).new
    with pytest.raises(DiskFull):
        await stores.keep(BATCH, answer(1))
    was_full = stores.full
    await stores.probe()
    await stores.probe()
    assert (was_full, stores.full) == (True, False)
    assert await stores.close() is None


async def test_the_inbox_waits_for_no_batch(tmp_path: Path) -> None:
    """While a batch is being opened, however long that takes,
    callbacks for others that are not here go to their inboxes.
    """
    stores = Routing(Home(tmp_path / "home"))
    await stores.open()
    assert (await stores.keep("away", answer(1))).inbox
    stores._looked_at = -60.0
    async with stores._opening, asyncio.timeout(10):
        assert (await stores.keep("away", answer(2, row=1))).inbox
    assert await stores.close() is None


async def test_an_inbox_is_not_taken_into_what_was_let_go(tmp_path: Path) -> None:
    """A journal that was closed meanwhile takes nothing of an inbox, which stays as it is."""
    home = Home(tmp_path / "home")
    add_batch(home, BATCH)
    inbox = Segments((home.path / "inbox" / BATCH), "test")
    await inbox.append([answer(1)])
    await inbox.close()
    stores = Routing(home)
    async with stores._opening:
        await stores._take_up(BATCH, (await stores._batches())[BATCH])
    store = stores._there[BATCH]
    await stores._let_go(BATCH, store)
    with pytest.raises(StoreError, match="changed meanwhile"):
        await stores._merge(BATCH, store)
    assert len(list((home.path / "inbox" / BATCH).glob("*/*.jsonl"))) == 1
    assert await stores.close() is None


async def test_what_stays_in_an_inbox_is_taken_in_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A damaged segment stays in an inbox as evidence: it is read again only when something has come to it,
    however often the inbox is looked at.
    """
    home = Home(tmp_path / "home")
    add_batch(home, BATCH)
    folder = home.path / "inbox" / BATCH / "results"
    folder.mkdir(parents=True)
    (folder / "1-test.jsonl").write_bytes(line(answer(1)) + b"damaged\n" + line(answer(1, row=1)))
    caplog.set_level("INFO")
    stores = Routing(home)
    await stores.open()
    taken = "taken in from the inbox"
    for _ in range(3):
        await stores.probe()
    assert caplog.text.count(taken) == 1
    (folder / "2-test.jsonl").write_bytes(line(answer(1, row=2)))
    for _ in range(3):
        await stores.probe()
    assert caplog.text.count(taken) == 2
    assert [path.name for path in folder.iterdir()] == ["1-test.jsonl"]
    assert await stores.close() is None


async def test_a_folder_that_leads_nowhere_is_seen_at_a_look(tmp_path: Path) -> None:
    """Nothing is said to be ready for the callbacks of a batch where nothing can be written;
    an inbox, which is not made yet, is none.
    """
    home = Home(tmp_path / "home")
    add_batch(home, BATCH)
    [ref] = home.batches()
    assert isinstance(ref, Ref)
    room = home.mailroom("receiver", Commits())
    here, away = room.mailbox(ref), room.mailbox("away")
    here.check()
    (Path(ref.where) / "results").symlink_to("nowhere")
    with pytest.raises(StoreError, match="nothing can be written"):
        here.check()
    away.check()
