"""Each batch of a home by itself: one that cannot be used stops none of the others."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mwbatch.errors import StoreError, UsageError
from mwbatch.journal.home.home import Home
from mwbatch.journal.interface.batch_info import BatchInfo
from mwbatch.journal.interface.batches import each, info_of
from mwbatch.journal.interface.ref import Ref
from tests.support.disks import unprivileged


def info(name: str) -> BatchInfo:
    """The batch info of a batch that is named after its id."""
    return BatchInfo(name, name, "https://api.test", f"/manifests/{name}.csv", "id", ())


def written(text: str) -> Callable[[Path], None]:
    """Write something else in the place of the batch info."""

    def write(folder: Path) -> None:
        (folder / "batch.json").write_text(text)

    return write


def changed(there: str, then: str) -> Callable[[Path], None]:
    """Change the text of the batch info."""

    def change(folder: Path) -> None:
        text = (folder / "batch.json").read_text()
        assert there in text
        (folder / "batch.json").write_text(text.replace(there, then, 1))

    return change


def gone(folder: Path) -> None:
    """Lose the batch info and keep the rows."""
    (folder / "rows").mkdir()
    (folder / "rows" / "x.jsonl").write_bytes(b"")
    (folder / "batch.json").unlink()


def piped(name: str) -> Callable[[Path], None]:
    """Put a pipe in the place of a file; whoever opened it would wait for ever."""

    def pipe(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).parent.mkdir(exist_ok=True)
        os.mkfifo(folder / name)

    return pipe


def endless(folder: Path) -> None:
    """Let the batch info lead to a device; whoever read it would read for ever."""
    (folder / "batch.json").unlink()
    (folder / "batch.json").symlink_to("/dev/zero")


def copied(folder: Path) -> None:
    """Copy the folder inside the home."""
    shutil.copytree(folder, folder.with_name("bad.bak"))


BAD: dict[str, Callable[[Path], None]] = {
    "copy": copied,
    "empty": written(""),
    "half": lambda folder: os.truncate(folder / "batch.json", 30),
    "newer": changed('"format":1', '"format":2'),
    "unknown field": changed("{", '{"colour":"red",'),
    "a name that is none": changed('"name":"bad"', '"name":7'),
    "an id that is none": changed('"batch_id":"bad"', '"batch_id":["bad"]'),
    "a place that is none": changed('"place":[', '"place":["x",'),
    "a count that is none": changed('"tasks":0', '"tasks":"many"'),
    "no batch info": gone,
    "a batch info that is a pipe": piped("batch.json"),
    "a batch info without end": endless,
    "closed": lambda folder: folder.chmod(0),
}


@pytest.mark.parametrize("how", BAD)
def test_a_bad_batch_stops_no_other(tmp_path: Path, how: str) -> None:
    """Whatever is wrong with one batch, the others are made of, and why it is not stands in its place."""
    with unprivileged(tmp_path) as place:
        home = Home(place)
        for name in ("aaa", "bad", "zzz"):
            home.create(info(name))
        BAD[how](home.path / "bad")
        there = {folder.name: made for folder, made in each(home, lambda ref: ref.info.batch_id)}
        assert (there.pop("aaa"), there.pop("zzz")) == ("aaa", "zzz")
        assert {*there} == {"bad", "bad.bak"} if how == "copy" else {"bad"}
        for folder, why in there.items():
            assert isinstance(why, StoreError)
            assert str(home.path / folder) in str(why)
        assert home.find("zzz").info.batch_id == "zzz"
        with pytest.raises(UsageError, match="no batch other"):
            home.find("other")


def test_what_cannot_be_made_is_set_aside(tmp_path: Path) -> None:
    """Where a batch cannot be read for what is wanted of it, only that one is set aside."""
    home = Home(tmp_path)
    for name in ("aaa", "bad", "zzz"):
        home.create(info(name))

    def make(ref: Ref) -> str:
        if ref.name == "bad":
            raise StoreError("why")
        return ref.name

    assert [str(made) for _, made in each(home, make)] == ["aaa", "why", "zzz"]


def test_a_home_that_cannot_be_read_is_not_empty(tmp_path: Path) -> None:
    """Where the home itself is closed to us nothing is said of its batches."""
    with unprivileged(tmp_path) as place:
        home = Home(place / "home")
        home.create(info("aaa"))
        home.path.chmod(0)
        with pytest.raises(StoreError, match="Permission denied"):
            list(each(home, info_of))
