"""`results --follow`: each row once, as it is completed, until none is unfinished."""

from pathlib import Path

import pytest

from mwbatch.core.codec.json_codec import encode
from mwbatch.core.facts.kinds import Seen
from mwbatch.views.results import follow_results
from mwbatch.views.terminal.streams import Stream
from tests.support.facts import answer, start
from tests.support.virtual import virtual
from tests.unit.commands.conftest import Stage

LOOKS = 9
"""So often it may look before it has to end."""


def answered(row: int) -> Seen:
    """The answer of a row, as its callback brought it."""
    bare = answer(1, row=row)
    body = encode({"task_id": bare.task_id, "task": {"task_id": bare.task_id}, "response": {"tags": []}})
    return bare._replace(body=body)


@pytest.mark.parametrize("first", [1, 2, 3])
@virtual
async def test_it_ends_with_the_last_answer(tmp_path: Path, first: int) -> None:
    """However the answers come, it ends once all are printed, each once, and not before."""
    stage, looks = Stage(tmp_path), 0
    batch = await stage.opened(3)
    await batch.record([start(1, ((0, 3),)), *map(answered, range(first))])
    left = iter(range(first, 3))

    async def sleep(_: float) -> bool:
        nonlocal looks
        looks += 1
        if looks % 2 == 0 and (row := next(left, None)) is not None:
            await batch.record([answered(row)])
        return looks > LOOKS

    with (tmp_path / "out").open("wb") as file:
        opened = stage.home.open(stage.home.find("logos"))
        await follow_results(opened, Stream(file.fileno()), sleep, demanded=False)
    await batch.journal.close()
    printed = (tmp_path / "out").read_text().splitlines()
    assert [line.partition('"id":"')[2][:4] for line in printed] == ["id-0", "id-1", "id-2"]
    assert looks < LOOKS
