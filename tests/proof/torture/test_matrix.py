"""The matrix, in part: every cause and every circumstance. The whole of it is `make torture`."""

from collections import defaultdict
from pathlib import Path
from typing import Final

import pytest

from tests.proof.torture.schedules.causes import CAUSES
from tests.proof.torture.schedules.circumstances import CIRCUMSTANCES
from tests.proof.torture.schedules.schedule import Schedule, sample
from tests.proof.torture.story import play

SIZE: Final = 154
BY_CAUSE: Final = defaultdict[str, list[Schedule]](list)
for _schedule in sample(1, SIZE):
    BY_CAUSE[_schedule.cause].append(_schedule)


@pytest.mark.parametrize("cause", CAUSES)
def test_every_law_holds(cause: str, tmp_path: Path) -> None:
    """Whatever befalls requests and whatever else happens: every law holds, by the simulator's ledger."""
    for number, schedule in enumerate(BY_CAUSE[cause]):
        folder = tmp_path / str(number)
        folder.mkdir()
        broken = play(schedule, folder).broken
        assert broken == [], f"again, alone: make torture ONLY={schedule}"


def test_the_sample_leaves_nothing_out() -> None:
    """The schedules that are played here have every cause and every circumstance."""
    there = [schedule for schedules in BY_CAUSE.values() for schedule in schedules]
    assert {schedule.circumstance for schedule in there} == set(CIRCUMSTANCES)
    assert {schedule.cause for schedule in there} == set(CAUSES)


def test_a_schedule_goes_the_same_way_each_time(tmp_path: Path) -> None:
    """All chance of a schedule comes from its seed, so what broke a law once breaks it again."""
    figures = []
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        figures.append(play(Schedule("created-500", "submitter-killed", 1), folder).figures)
    assert figures[0] == figures[1]
