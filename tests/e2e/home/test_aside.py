"""A batch that cannot be used, as the real commands meet it."""

import os
import shutil
from pathlib import Path

import pytest

from mwbatch.core.facts.lines import sealed
from mwbatch.journal.keys.home_keys import keys_of
from tests.e2e.support.stage import Stage
from tests.support.disks import NOBODY
from tests.unit.callbacks.stage import make_home


@pytest.fixture
def two(tmp_path: Path) -> Stage:
    """A home with two batches."""
    stage = Stage(tmp_path)
    keys_of(make_home(stage.home, "good567890", "bad4567890"))
    return stage


def harm(folder: Path, how: str) -> None:
    """Make a batch unusable."""
    match how:
        case "copy":
            shutil.copytree(folder, folder.with_name("bad.bak"))
        case "empty":
            os.truncate(folder / "batch.json", 0)
        case "newer":
            (folder / "results").mkdir()
            newer = sealed(
                {
                    "v": 2,
                    "fact": "seen",
                    "at": 1,
                    "row": 0,
                    "attempt": 1,
                    "task_id": "t",
                    "status": "completed",
                }
            )
            (folder / "results" / "20990101T000000Z-newer-0.jsonl").write_bytes(newer)


@pytest.mark.parametrize("how", ["copy", "empty", "newer"])
def test_status_lists_the_others(two: Stage, how: str) -> None:
    """`status` shows every batch that can be read, names those that cannot, and exits 6."""
    harm(two.home / "named-bad4567890", how)
    shown = two.json("status", code=6)
    assert [one["batch_id"] for one in shown["batches"]] == ["good567890"]
    assert len(shown["unreadable"]) == (2 if how == "copy" else 1)
    assert all("named-bad4567890" in reason for reason in shown["unreadable"])
    ran = two.run("status")
    assert ran.code == 6
    assert "named-good567890: 0 of 0 completed" in ran.out
    assert "not looked into: " in ran.out
    assert two.run("status", "named-good567890").code == 0


@pytest.mark.parametrize("how", ["copy", "empty", "newer"])
def test_the_receiver_starts(two: Stage, how: str) -> None:
    """`serve-callbacks` listens although a batch cannot be used;
    a service manager would restart it for ever.
    """
    harm(two.home / "named-bad4567890", how)
    with two.receiver():
        pass


def test_another_user(two: Stage) -> None:
    """Whoever is not the owner of the home is told,
    before files are made in it that its owner cannot read.
    """
    assert "belongs to" not in two.run("status").err
    other = "/etc"  # root's; who is root gives a folder away
    if os.geteuid() == 0:
        os.chown(two.home, NOBODY, -1)
        other = str(two.home)
    assert "warning: this home belongs to " in two.run("status", "--home", other).err


def test_root_in_the_home_of_another_user(patient: Stage) -> None:
    """Everything that root makes in a home belongs to the home's owner,
    who goes on with it as with his own.
    """
    patient.home.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(patient.home, NOBODY, NOBODY)
    owner = patient.home.stat().st_uid
    assert patient.run("submit", patient.manifest(3), "--callback-url", "none").code == 0
    assert patient.run("cancel", "m", "--id", "r1").code == 0
    assert patient.run("keys", "rotate").code == 0
    there = [*patient.home.rglob("*")]
    assert {"batch.json", "keys.json", "lock", "journal", "rows", ".begun"} <= {path.name for path in there}
    assert [path for path in there if path.stat().st_uid != owner] == []
