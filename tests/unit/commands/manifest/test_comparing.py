"""Comparing a batch with its manifest as the file is now: added, gone, changed."""

import pytest

from mwbatch.commands.manifest.comparing import compare
from mwbatch.commands.verbs.submit import submit
from mwbatch.core.report.command_outcomes import Comparison
from mwbatch.errors import UsageError
from mwbatch.journal.interface.open_batch import look
from tests.support.virtual import virtual
from tests.unit.commands.conftest import Stage, silent

HEAD = "id,image_url"


def rows(*ids: str, elsewhere: str = "") -> list[str]:
    """Lines of a manifest; those whose id is in ``elsewhere`` have another picture than at first."""
    return [f"{one},https://images.example.com/{one}{'-new' if one in elsewhere else ''}.jpg" for one in ids]


async def compared(stage: Stage, lines: list[str], head: str = HEAD) -> Comparison:
    """Submit rows a to d, then compare the batch with a file of these lines."""
    await submit(stage.home, stage.client, stage.manifest(*"abcd"), silent(), stage.context)
    path = stage.folder / "now.csv"
    path.write_text("\n".join([head, *lines]) + "\n")
    found = await compare(await look(stage.home, stage.home.find("logos")), str(path))
    assert found.path == str(path)
    return found


@pytest.mark.parametrize(
    ("lines", "counts"),
    [
        (rows(*"abcd"), (0, 0, 0)),
        (rows(*"dbca"), (0, 0, 0)),
        (rows(*"abcdef"), (2, 0, 0)),
        (rows(*"ab"), (0, 2, 0)),
        (rows(*"abcd", elsewhere="bc"), (0, 0, 2)),
        (rows(*"bcde", elsewhere="c"), (1, 1, 1)),
        (rows(*"xyz"), (3, 4, 0)),
        ([*rows(*"abcd"), *rows("a")], (0, 0, 0)),
    ],
)
@virtual
async def test_added_gone_changed(stage: Stage, lines: list[str], counts: tuple[int, int, int]) -> None:
    """Rows are compared by their id, wherever they stand; a row that stands there twice counts once."""
    found = await compared(stage, lines)
    assert (found.added, found.gone, found.changed) == counts


@virtual
async def test_rows_that_are_known_in_another_way(stage: Stage) -> None:
    """A file without the batch's id column cannot be compared: its rows would all look new."""
    with pytest.raises(UsageError, match="knows its rows by column id"):
        await compared(stage, ["https://images.example.com/a.jpg"], head="image_url")


@virtual
async def test_nothing_is_changed_by_comparing(stage: Stage) -> None:
    """Comparing plans nothing and sends nothing."""
    await compared(stage, rows(*"abcdef"))
    assert (stage.statuses(), len(stage.wire.creates)) == ({"pending": 4}, 4)
