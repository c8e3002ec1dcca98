"""Negative controls: a suite that cannot fail proves nothing."""

from itertools import count, islice
from pathlib import Path
from typing import Final

import pytest

from tests.proof.torture.judging.laws import LOST, TWICE
from tests.proof.torture.judging.order_laws import CANARY, ECHO, FRESH, LISTING, SURPLUS
from tests.proof.torture.schedules.interludes import ALONE, SHOWN
from tests.proof.torture.schedules.schedule import Schedule
from tests.proof.torture.story import REFUTED, play
from tests.proof.torture.world.sabotage import SABOTAGE
from tests.support.sabotage import replaced

WHERE: Final = {
    "started-not-written": ("created-500/killed-at-once", TWICE),
    "no-sweeps": ("created-late/nothing-else", TWICE),
    "no-validity": ("stale-for-hours/nothing-else", TWICE),
    "no-last-reading": ("stale-for-hours/killed-at-once", TWICE),
    "no-settle": ("created-late/nothing-else", TWICE),
    "no-ties-to-known-tasks": ("stale-for-hours/nothing-else", TWICE),
    "no-second-lock": ("created-cut/lock-removed", ALONE),
    "no-lock-at-all": ("busy-storm/lock-removed", TWICE),
    "no-ties-of-answers": ("get-other/nothing-else", LOST),
    "no-ties-of-trust": ("get-other/segments-gone", TWICE),
    "no-first-page": ("get-other/other-home", SHOWN),
    "no-other-batches": ("created-cut/copied-manifest", TWICE),
    "no-cancelling": ("proxied-twice/nothing-else", SURPLUS),
    "no-canary": ("not-created-500/nothing-else", CANARY),
    "belied-and-sent": ("created-after-settle/submitter-killed", REFUTED),
    "forged-and-absent": ("echo-altered/nothing-else", TWICE),
    "from-caches": ("cached-listing/nothing-else", FRESH),
    "no-echo-first": ("created-500/nothing-else", ECHO),
    "no-listing-first": ("created-500/submitter-killed", LISTING),
}
"""A cell of the matrix in which each safeguard is needed, and the law that is broken there without it."""

MOST: Final = 40
"""Schedules, at most, until the loss of a safeguard shows."""


@pytest.mark.parametrize("safeguard", SABOTAGE)
def test_the_loss_of_a_safeguard_shows(safeguard: str, tmp_path: Path) -> None:
    """Without any one of its safeguards the submitter breaks the law that rests on it,
    and the matrix says so.
    """
    cell, broken = WHERE[safeguard]
    schedules = (Schedule.read(f"{cell}/{seed}") for seed in count())
    with replaced(SABOTAGE[safeguard]):
        for number, schedule in enumerate(islice(schedules, MOST)):
            folder = tmp_path / str(number)
            folder.mkdir()
            if any(law.startswith(broken) for law in play(schedule, folder).broken):
                return
    pytest.fail(f"{MOST} schedules did not notice: {safeguard}")


@pytest.mark.parametrize("cell", sorted({cell for cell, _ in WHERE.values()}))
def test_with_all_safeguards_the_same_cells_are_safe(cell: str, tmp_path: Path) -> None:
    """It is the safeguard that makes the difference: with it the same cells keep every law."""
    for seed in range(3):
        folder = tmp_path / str(seed)
        folder.mkdir()
        assert play(Schedule.read(f"{cell}/{seed}"), folder).broken == []
