"""The home that is a folder keeps every law of a store; what is a folder's alone stands beside,
in `test_home`.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mwbatch.errors import BatchBusy
from mwbatch.journal.home.home import Files
from tests.unit.journal.laws.home_laws import INFO, BelongingsLaws, KeyringLaws, StoreLaws

PLAN = """
turn = home.planning()
print(turn.take(), flush=True)
sys.stdin.readline()
turn.release()
"""

ACT = """
async def act():
    async with home.act(home.find("logos"), "submit"):
        print(True, flush=True)
        sys.stdin.readline()
asyncio.run(act())
"""


@contextmanager
def elsewhere(home: Files, does: str) -> Iterator["subprocess.Popen[str]"]:
    """Another process that does something in a home, which went well,
    and ends it once it is given a line or its end.
    """
    head = (
        "import asyncio, sys\nfrom pathlib import Path\nfrom mwbatch.journal.home.home import Files\n"
        f"home = Files(Path({str(home.path)!r}))\n"
    )
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", head + does], stdin=pipe, stdout=pipe, text=True) as other:
        assert other.stdout
        assert other.stdout.readline() == "True\n"
        yield other


class _Folder:
    """A folder that is not there yet."""

    def make(self, folder: Path) -> Files:
        """The home in it."""
        return Files(folder)


class TestStore(_Folder, StoreLaws):
    """Batches in folders."""

    def test_one_process_has_the_turn(self, tmp_path: Path) -> None:
        """Nobody plans while another process has the turn, and again everybody may
        once that has released it.
        """
        home = self.make(tmp_path / "home")
        home.create(INFO)
        turn = home.planning()
        with elsewhere(home, PLAN) as other:
            assert [turn.take(), turn.take(), self.make(home.path).planning().take()] == [False] * 3
            turn.release()  # what one has not
            assert not turn.take()
            other.communicate("\n")
            assert turn.take()
        turn.release()
        with elsewhere(home, PLAN):
            assert not turn.take()
        assert turn.take()
        turn.release()

    def test_who_was_killed_has_no_turn(self, tmp_path: Path) -> None:
        """After kill -9 others may plan at once."""
        home = self.make(tmp_path / "home")
        home.create(INFO)
        turn = home.planning()
        with elsewhere(home, PLAN) as other:
            assert not turn.take()
            other.kill()
            other.wait()
            assert turn.take()
        turn.release()

    async def test_one_process_acts(self, tmp_path: Path) -> None:
        """Who would act while another process does is refused, and told which; others see who it is."""
        home = self.make(tmp_path / "home")
        ref = home.create(INFO)
        with elsewhere(home, ACT) as other:
            named = f"mwbatch submit, process {other.pid} on host"
            with pytest.raises(BatchBusy, match=named):
                async with home.act(ref, "cancel"):
                    pass
            assert named in str(home.holder(ref))
            other.communicate("\n")
        assert home.holder(ref) is None
        async with home.act(ref, "cancel") as batch:
            batch.hold()


class TestKeyring(_Folder, KeyringLaws):
    """Keys in a file."""


class TestBelongings(_Folder, BelongingsLaws):
    """What lies in the folder of a batch."""
