"""What the matrix found once: each schedule broke a law before it was mended."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.torture.story import play
from tests.torture.schedule import Schedule


@dataclass(frozen=True)
class Find:
    """A schedule, and what it showed."""

    schedule: str
    law: str


FINDS: Final = (
    Find(
        "created-307/early-callbacks/1",
        "a run that ends with its first row ends: nobody waits for its second run",
    ),
    Find(
        "created-307/other-url/1",
        "what was created within the second in which a run begins is listed all the same",
    ),
    Find(
        "not-created-500/receiver-killed/1",
        "a listing need not show a witness that is older than its interval",
    ),
)


@pytest.mark.parametrize("find", FINDS, ids=lambda find: find.schedule)
def test_what_was_found_stays_mended(find: Find, tmp_path: Path):
    """A schedule that broke a law before breaks none."""
    assert play(Schedule.read(find.schedule), tmp_path).broken == [], find.law
