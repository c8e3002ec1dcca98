"""What becomes of the disk behind the receiver's back: 200 is said for what is there now,
and for nothing else.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mwbatch.journal.segments.journal import Segments
from tests.unit.callbacks.conftest import Start
from tests.unit.callbacks.stage import Stage, callback

BODY = callback()
OTHER = callback("t2")


def results(stage: Stage) -> Path:
    """The folder of the batch's answers."""
    [folder] = stage.home.path.glob("*/results")
    return folder


def remove(stage: Stage) -> None:
    """Remove the segments."""
    for path in results(stage).iterdir():
        path.unlink()


def remove_folder(stage: Stage) -> None:
    """Remove the folder of answers."""
    shutil.rmtree(results(stage))


def cut(stage: Stage) -> None:
    """Cut every segment to nothing."""
    for path in results(stage).iterdir():
        os.truncate(path, 0)


def cut_in_half(stage: Stage) -> None:
    """Cut the last line of every segment in two."""
    for path in results(stage).iterdir():
        os.truncate(path, path.stat().st_size - 40)


def put_back(stage: Stage) -> None:
    """Put the batch's folder back from a copy that was made before."""
    folder = results(stage).parent
    folder.rename(folder.with_name(".gone"))
    shutil.copytree(folder.with_name(".gone"), folder, ignore=shutil.ignore_patterns("*.jsonl"))
    shutil.rmtree(folder.with_name(".gone"))


def replace(stage: Stage) -> None:
    """Put another file, and a longer one, in the place of every segment."""
    for path in results(stage).iterdir():
        other = path.with_suffix(".other")
        other.write_bytes(b"x" * path.stat().st_size + b"x\n")
        other.replace(path)


LOSSES = [replace, remove, remove_folder, cut, cut_in_half, put_back]


def found(stage: Stage, body: bytes) -> int:
    """How many whole lines of the answers, as any reader finds them, carry a body."""
    facts = Segments(results(stage).parent, "test").answers()
    return sum(fact.body == body for fact in facts)


@pytest.mark.parametrize("lose", LOSSES)
@pytest.mark.parametrize("own", [True, False])
async def test_a_repetition_of_what_is_lost(start: Start, lose: Callable[[Stage], None], own: bool) -> None:
    """What the disk has lost, in a segment of this receiver or of an earlier one,
    is stored again when it comes again.
    """
    stage = await start()
    assert (await stage.post(stage.address(), BODY)).status == 200
    if not own:
        await stage.running.close()
        stage = await start()
    lose(stage)
    replies = [(await stage.post(stage.address(), BODY)).status for _ in range(2)]
    assert replies == [200, 200]
    assert found(stage, BODY) == 1
    assert stage.running.failure is None


@pytest.mark.parametrize("lose", LOSSES)
async def test_a_first_copy_after_a_loss(stage: Stage, lose: Callable[[Stage], None]) -> None:
    """What comes first after a loss is answered 200 once it stands where readers look, and 503 before."""
    assert (await stage.post(stage.address(), BODY)).status == 200
    lose(stage)
    for number in range(3):
        status = (await stage.post(stage.address(1), OTHER)).status
        assert status == 200 or (number, status) == (0, 503)
        assert status == 503 or found(stage, OTHER) >= 1
    assert (await stage.post(stage.address(), BODY)).status == 200
    assert found(stage, BODY) == 1


async def test_room_after_a_loss(stage: Stage) -> None:
    """Answers that the disk has lost take no room from others of their task."""
    bodies = [callback(response={"tags": [], "n": n}) for n in range(8)]
    for body in bodies[:4]:
        assert (await stage.post(stage.address(), body)).status == 200
    remove(stage)
    assert (await stage.post(stage.address(), bodies[0])).status == 200
    assert [(await stage.post(stage.address(), body)).status for body in bodies[4:]] == [200] * 3 + [422]


@pytest.mark.parametrize("lose", [remove, put_back])
async def test_room_at_once_after_a_loss(start: Start, lose: Callable[[Stage], None]) -> None:
    """An answer is refused for want of room only where the disk has the others now."""
    first = await start()
    bodies = [callback(response={"tags": [], "n": n}) for n in range(6)]
    for body in bodies[:4]:
        assert (await first.post(first.address(), body)).status == 200
    await first.running.close()
    stage = await start()
    assert (await stage.post(stage.address(), bodies[4])).status == 422
    lose(stage)
    assert (await stage.post(stage.address(), bodies[4])).status == 200
    assert found(stage, bodies[4]) == 1


async def test_what_only_grew_is_not_read_again(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another receiver goes on writing,
    a repetition is answered by a look and without another reading.
    """
    one, two = await start(), await start()
    assert (await one.post(one.address(), BODY)).status == 200
    await two.running.close()
    two = await start()
    assert (await one.post(one.address(1), OTHER)).status == 200
    with monkeypatch.context() as patched:
        patched.setattr("mwbatch.journal.segments.folders.placed", None)
        assert (await two.post(two.address(), BODY)).status == 200
    assert (two.running.counts.repeated, found(one, BODY)) == (1, 1)


async def test_a_folder_that_moved(stage: Stage) -> None:
    """A batch folder that got another name under a running receiver takes its callbacks there."""
    assert (await stage.post(stage.address(), BODY)).status == 200
    folder = results(stage).parent
    folder.rename(folder.with_name("renamed"))
    replies = [(await stage.post(stage.address(1), OTHER)).status for _ in range(3)]
    assert (replies[-1], found(stage, OTHER), found(stage, BODY)) == (200, 1, 1)
    assert results(stage).parent.name == "renamed"
