"""The file that the API key is read from, seen as others on the machine see it."""

import os
from pathlib import Path

import pytest

from mwbatch.library.settings.environment import exposed_key_file


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with a key."""
    file = tmp_path / "key"
    file.write_text("k-1\n", encoding="utf-8")
    monkeypatch.delenv("MICROWORK_API_KEY", raising=False)
    monkeypatch.setenv("MICROWORK_API_KEY_FILE", str(file))
    return file


@pytest.mark.parametrize(("mode", "exposed"), [(0o600, False), (0o640, False), (0o604, True), (0o644, True)])
def test_a_key_that_everybody_may_read(path: Path, mode: int, exposed: bool) -> None:
    """Exactly a file that everybody may read is told of."""
    path.chmod(mode)
    assert (exposed_key_file() == path) is exposed


def test_what_is_no_file_of_ours_to_judge(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe, a file that is not there, and one that is not read since the key is given: nothing is told."""
    path.unlink()
    assert exposed_key_file() is None
    os.mkfifo(path, 0o644)
    path.chmod(0o644)
    assert exposed_key_file() is None
    path.unlink()
    path.touch(0o644)
    monkeypatch.setenv("MICROWORK_API_KEY", "k-2")
    assert exposed_key_file() is None
