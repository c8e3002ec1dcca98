"""Negative controls: a suite that cannot fail proves nothing."""

from itertools import count, islice
from pathlib import Path
from typing import Final

import pytest

from tests.torture.laws import TWICE
from tests.torture.sabotage import SABOTAGE, without
from tests.torture.schedule import Schedule
from tests.torture.story import play

WHERE: Final = {
    "started-not-written": "created-500/killed-at-once",
    "no-sweeps": "created-late/nothing-else",
    "no-validity": "stale-for-hours/nothing-else",
    "no-last-reading": "stale-for-hours/killed-at-once",
    "no-settle": "created-late/nothing-else",
}
"""A cell of the matrix in which each safeguard is needed."""

MOST: Final = 40
"""Schedules, at most, until the loss of a safeguard shows."""


@pytest.mark.parametrize("safeguard", SABOTAGE)
def test_the_loss_of_a_safeguard_shows(safeguard: str, tmp_path: Path) -> None:
    """Without any one of its safeguards the submitter pays a row twice, and the matrix says so."""
    schedules = (Schedule.read(f"{WHERE[safeguard]}/{seed}") for seed in count())
    with without(safeguard):
        for number, schedule in enumerate(islice(schedules, MOST)):
            folder = tmp_path / str(number)
            folder.mkdir()
            if any(law.startswith(TWICE) for law in play(schedule, folder).broken):
                return
    pytest.fail(f"{MOST} schedules did not notice: {safeguard}")


@pytest.mark.parametrize("cell", sorted(set(WHERE.values())))
def test_with_all_safeguards_the_same_cells_are_safe(cell: str, tmp_path: Path) -> None:
    """It is the safeguard that makes the difference: with it the same cells keep every law."""
    for seed in range(3):
        folder = tmp_path / str(seed)
        folder.mkdir()
        assert play(Schedule.read(f"{cell}/{seed}"), folder).broken == []
