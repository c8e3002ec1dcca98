"""An open batch: card, journal and state in step."""

import os
from pathlib import Path
from typing import NoReturn

import pytest

from mwbatch.core.fold import Status
from mwbatch.errors import BatchBusy, StoreError
from mwbatch.journal.home import Card, Home
from mwbatch.journal.opened import Opened, act, look
from tests.core.facts import answer, fail, plan, show, start
from tests.virtual import virtual


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with one batch, ``logos``."""
    home = Home(tmp_path / "home")
    home.create(Card("logos", "b234567890", "http://127.0.0.1:1", "/m.csv", "id", ()))
    return home


async def opened(home: Home) -> Opened:
    """The batch without its lock."""
    return await look(home, *home.find("logos"))


@virtual
async def test_recorded_is_known_and_on_disk(home: Home) -> None:
    """What was recorded is in the state, and in that of whoever looks next; nothing recorded writes nothing."""
    batch = await opened(home)
    await batch.record([])
    assert not (batch.folder / "rows").exists()
    await batch.record([plan(0), plan(1), start(1), show(1)])
    other = await opened(home)
    assert batch.state.rows == other.state.rows
    assert other.state.by_status()[Status.PENDING] == 1
    await batch.journal.close()


@virtual
async def test_refold_reads_what_others_wrote(home: Home) -> None:
    """A fact of another process is known after the next refold."""
    batch, other = await opened(home), await opened(home)
    await other.record([plan(0), answer(1)])
    assert batch.state.planned == 0
    batch.refold()
    assert batch.state.by_status()[Status.COMPLETED] == 1
    await other.journal.close()


@virtual
async def test_a_batch_that_cannot_be_read_again_has_no_state(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty state would say that no row was ever sent: where the reading fails there is none to ask."""

    def unreadable(_: object) -> NoReturn:
        raise StoreError("the disk is gone")

    batch = await opened(home)
    await batch.record([plan(0), start(1)])
    await batch.journal.close()
    monkeypatch.setattr(type(batch.journal), "fold", unreadable)
    with pytest.raises(StoreError):
        batch.refold()
    with pytest.raises(AttributeError):
        batch.state.is_sendable(0)


@virtual
async def test_the_card_is_kept_on_disk(home: Home) -> None:
    """A change of the card is on disk at once; the same once more writes nothing."""
    batch = await opened(home)
    batch.keep(kids=("k1",))
    assert home.find("logos")[1].kids == ("k1",)
    written = os.stat(batch.folder / "batch.json").st_ino  # noqa: PTH116 (one look)
    batch.keep(kids=("k1",))
    assert os.stat(batch.folder / "batch.json").st_ino == written  # noqa: PTH116 (one look)


@virtual
async def test_failures_are_told_in_order(home: Home) -> None:
    """Each failed attempt with its message, by row, the last attempt of a row last."""
    batch = await opened(home)
    await batch.record([fail(2, row=1), fail(1, row=1), fail(1)])
    assert [row for row, _ in batch.failures()] == [0, 1, 1]
    await batch.journal.close()


@virtual
async def test_doubt_of_a_live_submitter_is_in_flight(home: Home) -> None:
    """While another process acts, unanswered rows are in flight to a view; to who acts itself they are in doubt."""
    async with act(home, *home.find("logos"), "submit") as batch:
        await batch.record([plan(0), start(1)])
        assert (batch.report().in_flight, (await opened(home)).report().in_flight) == (0, 1)
    assert (await opened(home)).report().in_flight == 0


@virtual
async def test_one_acts_at_a_time(home: Home) -> None:
    """A second command that wants to act is turned away; when the first has ended it may."""
    async with act(home, *home.find("logos"), "submit"):
        with pytest.raises(BatchBusy):
            async with act(home, *home.find("logos"), "cancel"):
                pass
    async with act(home, *home.find("logos"), "cancel") as batch:
        assert batch.acting
    assert not (await opened(home)).acting


@virtual
async def test_damage_is_counted(home: Home) -> None:
    """A line that was acknowledged and cannot be read counts; what a writer was cut off in does not."""
    batch = await opened(home)
    await batch.record([plan(0), plan(1), plan(2)])
    await batch.journal.close()
    [segment] = (batch.folder / "rows").glob("*.jsonl")
    text = segment.read_bytes()
    segment.write_bytes(text.replace(b"id-1", b"id-9") + b'{"v":1,"torn')
    assert (await opened(home)).report().damaged_lines == 1
