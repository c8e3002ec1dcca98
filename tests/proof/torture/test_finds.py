"""What the matrix found once: each of these schedules broke a law before the submitter was mended."""

from pathlib import Path
from typing import Final

import pytest

from tests.proof.torture.schedules.schedule import Schedule
from tests.proof.torture.story import play

FINDS: Final = {
    "created-307/early-callbacks/1": "a run that is stopped by its first row ends: nobody waits for a "
    "second run of rows",
    "created-307/other-url/1": "what was created within the second in which a run begins is listed all "
    "the same",
    "held-after-settle/lost-callbacks/2": "once an absence was belied no other row is sent again",
    "held-after-settle/submitter-killed/3": "listing a second time wipes no reason why rows stay in doubt",
    "get-other/folder-restored/1": "a proof covers what was learned between its listing and its being said",
    "get-other/segments-gone/31": "a listing without any task of a batch that sent something restores "
    "no trust",
    "get-other/segments-gone/32": "a listing that shows less than the API had told of restores no trust",
    "get-other/folder-restored/9": "where a part of the record is lost such a listing restores none, either",
    "created-after-settle/submitter-killed/0": "sweeps that show that another one erred settle nothing",
}


@pytest.mark.parametrize("schedule", FINDS)
def test_what_was_found_stays_mended(schedule: str, tmp_path: Path) -> None:
    """A schedule that once broke a law breaks none."""
    assert play(Schedule.read(schedule), tmp_path).broken == [], FINDS[schedule]
