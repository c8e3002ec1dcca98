"""A sample of all cuts; ``python -m tests.cuts`` plays every one."""

import random

import pytest

from tests.cuts.__main__ import drawn
from tests.cuts.play import play
from tests.cuts.scenes import SCENES

SAMPLE = 4
"""Cuts of each scene."""


@pytest.mark.parametrize("name", SCENES)
def test_cut_short_it_leaves_nothing_behind(name: str) -> None:
    """Told to end at any step, once or more, a command leaves a true journal and no lock, task, thread or open file."""
    cuts = drawn(SCENES[name], random.Random(name), SAMPLE)
    wrong = {str(cut): faults for cut in cuts if (faults := play(SCENES[name], cut).faults)}
    assert not wrong, f"python -m tests.cuts --only {name} --at … --how … --lag …"
