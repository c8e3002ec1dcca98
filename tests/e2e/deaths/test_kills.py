"""A short part of the long kill loops, and the story of 10,000 rows in small: the laws that they end with."""

import random
from pathlib import Path

import pytest

from tests.proof.torture.heavy import Story, moments
from tests.proof.torture.kills import KINDS, Loop


@pytest.mark.parametrize("kind", KINDS)
def test_killed_again_and_again(kind: str, tmp_path: Path) -> None:
    """Whoever is killed at whatever moment: one task a row, and every acknowledged callback on disk."""
    loop = Loop(kind, seed=1, rows=60, weather=1, latency=0.02, concurrency=8, kills=2, settle=0.5)
    loop.play(tmp_path)
    assert loop.broken == []
    assert loop.figures["kills"]


def test_the_story_in_small(tmp_path: Path) -> None:
    """Rows against a failing API, with submitter and receiver killed, end complete with one task each."""
    story = Story(rows=150, seed=3, folder=tmp_path, deaths=1)
    story.play()
    assert story.broken == []
    assert (story.figures["tasks"], story.figures["rows paid twice"]) == (150, 0)


def test_moments_come_from_the_seed() -> None:
    """The same seed kills at the same moments, most of them while the first three quarters are created."""
    first, again = (list(moments(random.Random(7), rows=100, kills=20)) for _ in range(2))
    assert first == again
    assert 0 < sum(when.events for when in first) < 75
