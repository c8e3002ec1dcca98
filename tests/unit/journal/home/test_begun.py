"""How far a batch has come, outside of its folder."""

import errno
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.facts.lines import sealed
from mwbatch.errors import StoreError
from mwbatch.journal.home.begun import Begun
from mwbatch.journal.home.home import Home
from mwbatch.journal.interface.batch_info import BatchInfo
from tests.support.disks import Failing, descriptors
from tests.support.facts import plan, show, start
from tests.support.records import record_of, rewrite
from tests.support.virtual import virtual

ONE, OTHER = "journal/20240101T000000Z-submit-00000001.jsonl", "rows/20240101T000000Z-submit-00000002.jsonl"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where it is kept."""
    return tmp_path / ".begun" / "b2.jsonl"


def test_the_greatest_of_each_is_told(path: Path) -> None:
    """What was written and added last stands there, for whoever looks; before anything was, nothing does."""
    assert Begun(path).sizes() == {}
    begun = Begun(path)
    begun.write({ONE: 5, OTHER: 7})
    begun.add(ONE, 9)
    begun.add(ONE, 8)
    begun.close()
    assert Begun(path).sizes() == {ONE: 9, OTHER: 7}
    begun.write({OTHER: 8})
    begun.close()
    assert (Begun(path).sizes(), [left.name for left in path.parent.iterdir()]) == ({OTHER: 8}, [path.name])


def test_how_many_tasks_are_known_is_told(path: Path) -> None:
    """With the sizes stands how many tasks the API had told of; nothing where an older version wrote,
    and what is no number is none.
    """
    begun = Begun(path)
    begun.write({ONE: 5})
    assert begun.tasks() == 0
    begun.write({ONE: 5}, 42)
    begun.add(ONE, 9)
    begun.close()
    assert (Begun(path).tasks(), Begun(path).sizes()) == (42, {ONE: 9})
    path.write_bytes(path.read_bytes() + sealed({"tasks": "many"}) + sealed({"segment": "x"}) + b"rubbish")
    assert (Begun(path).tasks(), Begun(path).sizes()) == (42, {ONE: 9})


@given(st.lists(st.integers(1, 9), max_size=4), st.integers(0, 300), st.binary(max_size=3))
def test_whatever_is_cut_off_it_says_no_more_than_was_noted(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int], kept: int, garbage: bytes
) -> None:
    """Cut anywhere, and with rubbish at its end, it still tells a size that was true once,
    and learns the next.
    """
    path = tmp_path_factory.mktemp("home") / ".begun" / "b2.jsonl"
    begun, size, noted = Begun(path), 10, {None, 10}
    begun.write({ONE: size})
    for step in steps:
        size += step
        begun.add(ONE, size)
        noted.add(size)
    path.write_bytes(path.read_bytes()[:kept] + garbage)
    assert begun.sizes().get(ONE) in noted
    begun.add(ONE, size + 1)
    begun.close()
    assert begun.sizes()[ONE] == size + 1


def test_what_is_noted_is_durable(path: Path) -> None:
    """Each note is synced before it returns: the first one with the names of file and folder."""
    disk = Failing()
    begun = Begun(path, disk)
    begun.write({ONE: 1})
    assert disk.calls[-4:] == ["create", "write", "sync", "settle"]
    disk.calls.clear()
    begun.add(ONE, 2)
    assert disk.calls == ["write", "sync"]


@pytest.mark.parametrize("call", ["create", "write", "sync", "settle"])
def test_what_cannot_be_noted_is_an_error(path: Path, call: str) -> None:
    """A disk that fails says so, and what was noted before stands."""
    Begun(path).write({ONE: 1})
    begun = Begun(path, Failing(**{call: [errno.EIO, errno.EIO, errno.EIO]}))
    with pytest.raises(StoreError, match="cannot write"):
        begun.write({ONE: 2})
    assert begun.sizes()[ONE] in (1, 2)
    begun = Begun(path, Failing(write=[None, errno.ENOSPC]))
    begun.write({ONE: 2})
    with pytest.raises(StoreError, match="cannot write"):
        begun.add(ONE, 3)
    assert (begun.sizes(), [left.name for left in path.parent.iterdir()]) == ({ONE: 2}, [path.name])


def test_what_cannot_be_read_is_not_empty(path: Path) -> None:
    """It would look as if nothing had begun."""
    path.mkdir(parents=True)
    with pytest.raises(StoreError, match="cannot read"):
        Begun(path).sizes()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with one batch, ``logos``."""
    home = Home(tmp_path / "home")
    home.create(BatchInfo("logos", "b234567890", "http://127.0.0.1:1", "/m.csv", "id", ()))
    return home


def outside(home: Home) -> Begun:
    """What is kept of it outside of its folder."""
    return Begun(home.path / ".begun" / "b234567890.jsonl")


@virtual
async def test_a_start_is_known_in_the_batch_info_and_outside(home: Home) -> None:
    """Once a start has returned the batch info names its key, its base and its segment,
    and outside stands how long that is.
    """
    async with home.act(home.find("logos"), "submit") as batch:
        await batch.record([plan(0), plan(1)])
        assert home.find("logos").info.kids == ()
        await batch.start(start(1))
        record, begun = record_of(batch.where), outside(home)
        [segment] = (Path(batch.where) / "journal").iterdir()
        name = f"journal/{segment.name}"
        assert (record.info.kids, record.info.base, min(record.segments)) == (
            ("k1",),
            "https://calls.test",
            name,
        )
        assert begun.sizes() == record.segments
        assert record.segments[name] == segment.stat().st_size
        await batch.record([show(1)])
        await batch.start(start(1, ((1, 2),)))
        assert record_of(batch.where) == record
        assert begun.sizes()[name] == segment.stat().st_size
    assert record_of(batch.where).segments == begun.sizes()
    assert home.find("logos").info.tasks == begun.tasks() == 1


@virtual
async def test_what_the_api_told_of_once_is_not_forgotten(home: Home) -> None:
    """How many tasks were known stands in the batch info and outside; the greatest counts,
    whatever the journal or either of them has lost since.
    """
    async with home.act(home.find("logos"), "submit") as batch:
        await batch.start(start(1, ((0, 3),)))
        await batch.record([show(1, f"t-{row}", row=row) for row in range(3)])
    before = record_of(batch.where).info
    async with home.act(home.find("logos"), "resume") as batch:
        await batch.record([show(1, "t-3", row=3)])
        await batch.start(start(1, ((4, 5),)))
        assert outside(home).tasks() == 4
    for path in (Path(batch.where) / "journal").iterdir():
        path.unlink()
    rewrite(batch.where, before)
    async with home.act(home.find("logos"), "resume") as batch:
        assert (batch.state.confirmed(), batch.info.tasks, batch.known_tasks()) == (0, 3, 4)
    assert home.find("logos").info.tasks == 4
    (home.path / ".begun" / "b234567890.jsonl").unlink()
    async with home.act(home.find("logos"), "resume") as batch:
        assert batch.known_tasks() == 4
    assert outside(home).tasks() == 4


@virtual
async def test_nothing_stays_open_of_a_batch(home: Home) -> None:
    """However often a batch is acted on, what is kept of it outside is released with it."""
    before = descriptors()
    for attempt in (1, 2):
        async with home.act(home.find("logos"), "submit") as batch:
            await batch.record([plan(0)])
            await batch.start(start(attempt))
    assert descriptors() == before
