"""The rows that would be sent, by what they ask for."""

import pytest

from mwbatch.commands.manifest.candidates import Candidates
from mwbatch.commands.manifest.planning import examine
from tests.support.virtual import virtual
from tests.unit.commands.conftest import Stage


@pytest.mark.parametrize(("count", "some"), [(0, False), (2, True)])
@virtual
async def test_they_are_some_where_a_row_may_be_sent(stage: Stage, count: int, some: bool) -> None:
    """A batch has candidates while a row of it was never sent, and none where it has no row."""
    batch = await stage.opened(count)
    assert bool(Candidates(batch.info, batch)) is some
    await batch.journal.close()


@virtual
async def test_a_manifest_with_nothing_new_has_none(stage: Stage) -> None:
    """Rows of a manifest count where the batch lacks them; the first of each alone."""
    source = stage.manifest("a", "b")
    found = await examine(source, None, stage.context)
    batch = await stage.opened()
    assert Candidates(batch.info, source=source, found=found)
    found.by_kind.clear()
    assert not Candidates(batch.info, source=source, found=found)
    await batch.journal.close()


@virtual
async def test_they_are_read_once(stage: Stage) -> None:
    """What they ask for is read once for each set of names that are volatile, and stays the same."""
    batch = await stage.opened(3)
    candidates = Candidates(batch.info, batch)
    first, other = frozenset[str](), frozenset({"token"})
    assert len(await candidates.ahead(first)) == 3
    assert await candidates.ahead(first) is await candidates.ahead(first)
    assert await candidates.ahead(other) is not await candidates.ahead(first)
    await batch.journal.close()
