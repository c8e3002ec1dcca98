"""What the matrix found once: each of these schedules broke a law before the submitter was mended."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from mwbatch.commands.sweeping import expected
from mwbatch.core.batch import Batch
from mwbatch.core.facts import Seen
from tests.torture.schedule import Schedule
from tests.torture.story import play

FINDS: Final = {
    "created-307/early-callbacks/1": "a run that is stopped by its first row ends: nobody waits for a second run of rows",
    "created-307/other-url/1": "what was created within the second in which a run begins is listed all the same",
    "held-after-settle/lost-callbacks/2": "once an absence was belied no other row is sent again",
    "held-after-settle/submitter-killed/3": "listing a second time wipes no reason why rows stay in doubt",
    "created-after-settle/submitter-killed/0": "sweeps that show that another one erred settle nothing",
}


@pytest.mark.parametrize("schedule", FINDS)
def test_what_was_found_stays_mended(schedule: str, tmp_path: Path) -> None:
    """A schedule that once broke a law breaks none."""
    assert play(Schedule.read(schedule), tmp_path).broken == [], FINDS[schedule]


def test_a_witness_older_than_the_listing_need_not_be_in_it() -> None:
    """A listing from after the witness was created cannot show it, and is valid all the same."""
    witness = Seen(0.0, 0, 1, "old", "pending", "create", "2026-01-01T00:00:00.000Z")
    start, end = datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC)
    assert list(expected(Batch([witness]), start, end, frozenset({"old"}))) == []


def test_a_witness_younger_than_the_end_of_the_listing_must_be_in_it() -> None:
    """The server's clock counts whole seconds: a witness may be younger than the listing's end."""
    witness = Seen(0.0, 0, 1, "new", "pending", "create", "2026-01-03T00:00:00.500Z")
    start, end = datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC)
    assert [name for name, _ in expected(Batch([witness]), start, end, frozenset({"new"}))] == ["new"]
