"""From settings to what commands take."""

import os
from pathlib import Path

import pytest

from mwbatch.cli.simulate import faults_of
from mwbatch.cli.wiring import home_of
from mwbatch.errors import UsageError
from mwbatch.library.settings.groups import HomeOptions
from tests.support.disks import NOBODY


def anothers(place: Path) -> Path:
    """A folder that another user owns."""
    if os.geteuid() != 0:
        return Path("/usr")
    folder = place / "home"
    folder.mkdir()
    os.chown(folder, NOBODY, -1)
    return folder


def test_the_home_of_another_user_is_warned_of(tmp_path: Path) -> None:
    """Whoever works in another one's home is told, before anything is made there; nobody else is."""
    told = list[str]()
    home_of(HomeOptions(home=tmp_path / "mine"), told.append)
    assert told == [f"home: {tmp_path / 'mine'}"]
    folder = anothers(tmp_path)
    home_of(HomeOptions(home=folder), told.append)
    assert told[1] == f"home: {folder}"
    assert "this home belongs to" in told[2]
    assert ("gets all that you make" in told[2]) is (os.geteuid() == 0)


def test_faults_that_are_not_there(tmp_path: Path) -> None:
    """A profile that is none names those that there are, a file that is not there itself;
    with a file no profile is asked for.
    """
    file = tmp_path / "faults.toml"
    with pytest.raises(UsageError, match=r"--profile stormy: choose one of .*heavy"):
        faults_of(None, "stormy")
    with pytest.raises(UsageError, match=f"--faults {file}: No such file"):
        faults_of(file, "stormy")
    file.write_text("")
    assert faults_of(file, "stormy") == faults_of(None, "calm")
