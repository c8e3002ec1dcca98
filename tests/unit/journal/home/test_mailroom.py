"""Where callbacks are put down: nothing is made where it would not be found, nothing is left open."""

import shutil
from pathlib import Path

import pytest

from mwbatch.core.api.address import Address
from mwbatch.core.api.unusable import Unusable
from mwbatch.core.codec.ids import Attempt, Kid, RowNumber
from mwbatch.errors import StoreError
from mwbatch.journal.home.home import Home
from mwbatch.journal.interface.commit_times import Commits
from tests.support.disks import descriptors
from tests.support.facts import answer
from tests.unit.journal.laws.home_laws import INFO


def reject(row: int) -> Unusable:
    """A callback that could not be taken."""
    address = Address(Kid("k1"), INFO.batch_id, RowNumber(row), Attempt(1), "0" * 32)
    return Unusable.of(address, "not_json", b"{", float(row), 100)


async def test_an_inbox_is_not_made_where_its_home_is_gone(tmp_path: Path) -> None:
    """Once there was a home nothing is put down beside it: what is made in its place nobody would find."""
    home = Home(tmp_path / "home")
    home.create(INFO)
    room = home.mailroom("receiver", Commits())
    room.look()
    box = room.mailbox("b000000000")
    shutil.rmtree(home.path)
    with pytest.raises(StoreError, match="is gone, or out of reach"):
        box.keep_reject(reject(1), 10_000)
    box.journal.index()
    with pytest.raises(StoreError, match="is gone, or out of reach"):
        await box.journal.append([answer(1)])
    await box.close()
    assert not home.path.exists()


async def test_the_first_callback_makes_the_home(tmp_path: Path) -> None:
    """Where there never was a home the first callback makes it, and its inbox."""
    home = Home(tmp_path / "home")
    room = home.mailroom("receiver", Commits())
    room.look()
    box = room.mailbox("b000000000")
    box.journal.index()
    assert await box.journal.append([answer(1)]) == [True]
    await box.close()
    assert room.inboxes() == ["b000000000"]


async def test_what_is_closed_keeps_nothing_more(tmp_path: Path) -> None:
    """After the end no file is open, and nothing is put aside any more: nobody would close it."""
    home = Home(tmp_path / "home")
    home.create(INFO)
    before = descriptors()
    box = home.mailroom("receiver", Commits()).mailbox(home.find("logos"))
    assert box.keep_reject(reject(1), 10_000)
    await box.close()
    assert descriptors() == before
    with pytest.raises(StoreError, match="is closed"):
        box.keep_reject(reject(2), 10_000)
