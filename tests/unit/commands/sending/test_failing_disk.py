"""Every call of the disk fails once, twice and for good while a manifest is submitted:
nothing is paid twice.
"""

from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from mwbatch.commands.verbs.submit import submit
from mwbatch.core.api.address import find
from mwbatch.core.report.command_outcomes import Created
from mwbatch.errors import Exit, StoreError
from mwbatch.journal.files.disk import DISK, Disk
from mwbatch.journal.home.home import Home
from tests.support.disks import FAULTS, Befallen, Fate, Fault
from tests.support.virtual import run_virtual
from tests.unit.commands.conftest import Stage, silent

ROWS = 3


class Submitter(Stage):
    """Submits a manifest of three rows, on whatever disk."""

    async def submit_on(self, disk: Disk) -> Created:
        """Run `submit` to its end; it raises `StoreError` and nothing else."""
        home = Home(self.path, disk=disk)
        return await submit(home, self.client, self.manifest(*range(ROWS)), silent(), self.new_context())

    @property
    def paid(self) -> Counter[int]:
        """How many tasks each row has, as the world knows it."""
        found = [(find(url), len(tasks)) for url, tasks in self.world.ledger()]
        return Counter({address.row: tasks for address, tasks in found if address is not None})


async def befall(folder: Path, fault: Fault) -> list[str]:
    """Submit on a disk that fails, then on one that does not; returns the calls of the former."""
    stage, disk = Submitter(folder), Befallen(fault)
    with suppress(StoreError):
        first = await stage.submit_on(disk)
        assert first.exit in (Exit.DONE, Exit.MACHINE), f"{fault}: {first.ending}"
    assert {*stage.paid.values()} <= {1}, f"{fault}: paid twice"
    last = await stage.submit_on(DISK)
    assert last.exit is Exit.DONE, f"{fault}: {last.ending}"
    assert stage.paid == Counter(range(ROWS)), f"{fault}: {stage.paid}"
    return disk.calls


@pytest.mark.parametrize(("fate", "lasting"), FAULTS)
def test_every_call_fails(memory: Path, fate: Fate, lasting: float) -> None:
    """Whichever call of the disk fails: no row is paid twice, and running it again pays for every row.

    Each fault befalls every third call here, each call three of the faults.
    """
    calls = play(memory / "0", Fault(0, None))
    assert {*calls} == {"create", "write", "sync", "look", "settle", "close"}
    first = FAULTS.index((fate, lasting)) % 3
    for nth, name in list(enumerate(calls, 1))[first::3]:
        if fate != "short" or name == "write":
            play(memory / str(nth), Fault(nth, fate, lasting))


def play(folder: Path, fault: Fault) -> list[str]:
    """Play one fault in virtual time; what waits for ever is a `Deadlock`."""
    folder.mkdir()
    return run_virtual(befall(folder, fault), threads=False)
