"""What mwbatch wrote is known by its own notes, and by nobody else's."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mwbatch.journal.home.written_files import NAME, WrittenFiles

NOBODY = 65_534


@pytest.fixture
def noted(tmp_path: Path) -> Path:
    """A file that was noted, in its home."""
    there = tmp_path / "out.csv"
    there.write_text("id\n")
    WrittenFiles(tmp_path).note((there, there))
    assert WrittenFiles(tmp_path).knows(there)
    return there


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_notes_that_others_may_write(noted: Path, mode: int) -> None:
    """Notes that others may have written vouch for nothing:
    who plants a line there would have a user's file replaced.
    """
    notes = noted.with_name(NAME)
    notes.chmod(mode)
    assert not WrittenFiles(noted.parent).knows(noted)
    notes.chmod(0o644)
    assert WrittenFiles(noted.parent).knows(noted)


def _given(notes: Path) -> None:
    os.chown(notes, NOBODY, NOBODY)


def _linked(notes: Path) -> None:
    theirs = notes.with_name("theirs")
    notes.rename(theirs)
    os.chown(theirs, NOBODY, NOBODY)
    notes.symlink_to(theirs)


@pytest.mark.parametrize("plant", [_given, _linked])
def test_notes_of_another_user(
    noted: Path, monkeypatch: pytest.MonkeyPatch, plant: Callable[[Path], None]
) -> None:
    """Notes of another user vouch for nothing, wherever their name leads."""
    if os.geteuid():  # nobody but root gives files away: here who asks is another one than who wrote
        monkeypatch.setattr(os, "geteuid", lambda: NOBODY)
    else:
        plant(noted.with_name(NAME))
    assert not WrittenFiles(noted.parent).knows(noted)
