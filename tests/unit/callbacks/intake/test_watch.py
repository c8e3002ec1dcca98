"""Tasks that are not the ones recorded: stored like all others, and told of once."""

import asyncio

import pytest

from mwbatch.callbacks.intake.watch import MOST, STRANGE, Once
from mwbatch.core.api import address
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.facts.kinds import Fact, Seen
from mwbatch.journal.segments.journal import Segments
from tests.support.facts import show
from tests.unit.callbacks.stage import BATCH, Reply, Stage, callback, until

OK = Reply(200, b"", None)


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at once."""
    monkeypatch.setattr("mwbatch.callbacks.receiver.LOOK", 0.001)


async def record(stage: Stage, *facts: Fact) -> None:
    """Record facts as a submitter does."""
    journal = Segments(stage.home.path / f"named-{BATCH}", "submit")
    await journal.append(facts)
    await journal.close()


def strange(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The warnings."""
    return [one for one in caplog.messages if STRANGE in one]


async def test_another_task_than_the_one_recorded(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """A callback whose task is not the one of the create answer is stored, counted, and told once a row,
    without address.
    """
    await record(stage, show(1, task="made", row=3), show(1, task="t1", row=4))
    for task in ("other", "more"):
        assert await stage.post(stage.address(3), callback(task)) == OK
        assert await stage.post(stage.address(4), callback("t1")) == OK
        await until(lambda: stage.running.counts.unrecorded)
    await until(lambda: stage.running.counts.unrecorded == 2)
    assert strange(caplog) == [f"batch {BATCH} row 3: {STRANGE}"]
    assert stage.address(3)[-32:] not in caplog.text
    assert len(stage.lines()) == 5


async def test_a_callback_that_was_faster(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """A callback before the create answer is nothing strange, unless the answer then names another task."""
    for row in (3, 4):
        assert await stage.post(stage.address(row), callback(f"t{row}")) == OK
    await asyncio.sleep(0.1)
    await record(stage, show(1, task="t3", row=3), show(1, task="made", row=4))
    assert await stage.post(stage.address(5), callback("t5")) == OK
    await until(lambda: stage.running.counts.unrecorded)
    assert strange(caplog) == [f"batch {BATCH} row 4: {STRANGE}"]


async def test_another_attempt_is_another_task(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """Each attempt has a task of its own."""
    await record(stage, show(1, task="one"), show(2, task="two"))
    for attempt, task in ((1, "one"), (2, "two"), (3, "three")):
        assert await stage.post(stage.address(attempt=attempt), callback(task)) == OK
    await asyncio.sleep(0.1)
    assert not strange(caplog)


async def test_another_address_by_a_key_of_this_moment(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A callback that went astray is stored where its task belongs, also where the key that signed that
    address was made after the last look at the keys.
    """
    monkeypatch.setattr("mwbatch.callbacks.storing.signers.LOOK", 1e9)
    key = stage.home.keys.rotate(1.0).newest
    there = address.write(stage.running.url, key, BATCH, RowNumber(1), Attempt(1))
    assert (await stage.post(stage.address(0), callback(callback_url=there))).status == 200
    assert [fact.row for fact in stage.facts() if isinstance(fact, Seen)] == [1]


@pytest.mark.parametrize("signed", [True, False])
async def test_a_task_of_another_address(
    stage: Stage, signed: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """A task that names another address of ours is stored there, if we signed it, else where it came;
    it is told once.
    """
    named = stage.address(8) if signed else stage.address(8)[:-32] + "0" * 32
    for _ in range(2):
        assert await stage.post(stage.address(3), callback("t8", callback_url=named)) == OK
    [fact] = stage.facts()
    assert isinstance(fact, Seen)
    assert (fact.row, fact.task_id) == (8 if signed else 3, "t8")
    assert stage.running.counts.mismatched == 2
    assert len([one for one in caplog.messages if "another address" in one and "row 3" in one]) == 1
    assert named[-32:] not in caplog.text


async def test_an_address_of_another_batch(stage: Stage) -> None:
    """A task that names an address of another batch is stored with that batch, here in its inbox."""
    named = stage.address(1, batch="elsewhere")
    assert await stage.post(stage.address(3), callback(callback_url=named)) == OK
    [path] = stage.files()
    assert path.parents[1] == (stage.home.path / "inbox" / "elsewhere")


async def test_a_bug_of_the_watch(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What breaks while watching is told, and the next callback is watched again."""
    monkeypatch.setattr("mwbatch.callbacks.intake.watch.Named", None)
    assert await stage.post(stage.address(), callback("t1")) == OK
    await until(lambda: "a look that repeats failed: TypeError" in caplog.messages)
    monkeypatch.undo()
    for task in ("a", "b"):
        assert await stage.post(stage.address(), callback(task)) == OK
    await until(lambda: stage.running.counts.unrecorded)


def test_once(caplog: pytest.LogCaptureFixture) -> None:
    """The same of a row is said once, and of a batch not without end."""
    once = Once()
    for row in [*range(3), *range(3)]:
        once.warn("b", row, "x")
    assert caplog.messages == [f"batch b row {row}: x" for row in range(3)]
    for row in range(2 * MOST):
        once.warn("b", RowNumber(row), "x")
    assert len(caplog.messages) == MOST + 1
    assert "more rows" in caplog.messages[-1]
    once.warn("c", RowNumber(1), "x")
    assert len(caplog.messages) == MOST + 2
