"""The real receiver on a file system that forgets in a power cut what was not synced."""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.support.stage import kill, until
from tests.proof.system.mounts import Power
from tests.proof.system.receiver import Receiving

pytestmark = pytest.mark.system

ROWS: Final = 60

LIAR: Final = """
import sys
from mwbatch.journal.files.disk import Disk
Disk.{name} = lambda *_: None
from mwbatch.cli import main
main()
"""
"""The real program, one of whose calls does nothing."""


@pytest.fixture
def power(tmp_path: Path) -> Iterator[Power]:
    """A forgetful file system."""
    with Power(tmp_path) as power:
        yield power


def receive(power: Power, after: int, *command: str) -> Receiving:
    """Post callbacks until so many are acknowledged; then the power is cut, and comes again."""
    receiving = Receiving(power.folder)
    with receiving.running(*command) as process:
        posting = threading.Thread(target=receiving.post, args=(range(ROWS),))
        posting.start()
        until(lambda: len(receiving.acknowledged) >= after)
        power.cut()
        kill(process)
        posting.join()
    power.on()
    return receiving


@pytest.mark.parametrize("after", [1, 10, 30, ROWS])
def test_a_power_cut(power: Power, after: int) -> None:
    """What was acknowledged before the power was cut is there when it comes again,
    and all else is taken then.
    """
    receiving = receive(power, after)
    assert len(receiving.acknowledged) >= after
    assert not receiving.lost
    with receiving.running():
        assert {*receiving.post(range(ROWS))} == {200}
    assert receiving.stored() == dict.fromkeys(range(ROWS), 1)


@pytest.mark.parametrize("name", ["sync", "sync_folder"])
def test_a_disk_that_lies(power: Power, name: str) -> None:
    """Without the sync of a file, or of a folder, the power cut does lose what was acknowledged:
    this would show.
    """
    receiving = receive(power, 10, sys.executable, "-c", LIAR.format(name=name))
    assert receiving.lost
