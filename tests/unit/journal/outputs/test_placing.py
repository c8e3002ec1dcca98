"""From aside to where the user wants it: what is his never moves, whatever happens on the way."""

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from mwbatch.errors import StoreError, UsageError
from mwbatch.journal.files import renaming
from mwbatch.journal.files.disk import Disk
from mwbatch.journal.files.replacing import Staged
from mwbatch.journal.home.home import Home
from mwbatch.journal.home.written_files import WrittenFiles
from mwbatch.journal.outputs import placing
from mwbatch.journal.outputs.user_files import Output
from tests.support.disks import unprivileged

NAMES: Final = frozenset(("labels", "data.yaml", "Annotations"))


def export(folder: Path, text: str, *, force: bool = False, within: str = "labels") -> None:
    """Write a folder that holds one text in two places."""
    with Output(Home(folder / "home"), folder / "out", force, NAMES).folder() as target:
        for name, above in (("data.yaml", ""), ("a.txt", within)):
            with target.open(name, above) as file:
                file.write(text.encode())


def there(folder: Path) -> dict[str, str]:
    """Every file of a folder, hidden or not, by its path, but for the home; links by where they lead."""
    return {
        str(path.relative_to(folder)): str(path.readlink()) if path.is_symlink() else path.read_text()
        for path in folder.rglob("*")
        if (path.is_symlink() or path.is_file()) and "home" not in path.relative_to(folder).parts
    }


def work(folder: Path) -> dict[str, str]:
    """What a user puts beside an export."""
    images = folder / "out" / "images"
    images.mkdir()
    (images / "a.jpg").write_text("a picture")
    (folder / "out" / "notes").symlink_to("/nowhere")
    return {"out/images/a.jpg": "a picture", "out/notes": "/nowhere"}


@pytest.fixture(params=[True, False], ids=["swapping", "renaming alone"])
def folder(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a home, on a file system that knows how to swap, or does not."""
    (tmp_path / "home").mkdir()
    if not request.param:
        monkeypatch.setattr(renaming, "_call", renaming._call.__wrapped__)
        monkeypatch.setitem(sys.modules, "ctypes", None)  # as in a Python that was built without it
    return tmp_path


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "with the user's"])
@pytest.mark.parametrize("within", ["labels", "Annotations"])
def test_an_export_is_replaced(folder: Path, beside: bool, within: str) -> None:
    """Of an old export nothing stays, of the user's files everything, and nothing stands aside."""
    export(folder, "old")
    mine = work(folder) if beside else {}
    export(folder, "new", force=True, within=within)
    assert there(folder) == {"out/data.yaml": "new", f"out/{within}/a.txt": "new", **mine}


@pytest.mark.parametrize("closed", ["images", "out"])
def test_read_only_files_of_the_users_stay(tmp_path: Path, closed: str) -> None:
    """What somebody made read-only within an export is neither removed nor moved,
    whether the export can be replaced or not.
    """
    with unprivileged(tmp_path) as folder:
        (folder / "home").mkdir()
        export(folder, "old")
        mine = work(folder)
        path = folder / "out" if closed == "out" else folder / "out" / "images"
        (path / "kept.jpg").write_text("kept")
        mine[str((path / "kept.jpg").relative_to(folder))] = "kept"
        path.chmod(0o555)
        if closed == "out":
            with pytest.raises(StoreError, match="cannot write"):
                export(folder, "new", force=True)
        else:
            export(folder, "new", force=True)
        text = "old" if closed == "out" else "new"
        assert there(folder) == {"out/data.yaml": text, "out/labels/a.txt": text, **mine}


def test_ours_may_be_read_only(tmp_path: Path) -> None:
    """An export that was made read-only is replaced, and nothing of the old one is left aside."""
    with unprivileged(tmp_path) as folder:
        (folder / "home").mkdir()
        export(folder, "old")
        for name, mode in (("labels/a.txt", 0o400), ("data.yaml", 0o400), ("labels", 0o500)):
            (folder / "out" / name).chmod(mode)
        export(folder, "new", force=True)
        assert (folder / "out" / "data.yaml").read_text() == "new"
        assert {path.name for path in folder.iterdir()} == {"home", "out"}


@pytest.mark.parametrize("is_folder", [False, True])
def test_it_is_known_before_it_is_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, is_folder: bool
) -> None:
    """What a kill may leave in its place is known as ours already: the same command again may replace it."""
    home, known = Home(folder / "home"), list[bool]()

    def late(new: Staged, *told: object) -> None:
        known.append(WrittenFiles(home.path).knows(new.path / "data.yaml" if is_folder else new.path))
        placing.place(new, *told)  # type: ignore[arg-type] # as they came

    monkeypatch.setattr("mwbatch.journal.outputs.user_files.place", late)
    if is_folder:
        export(folder, "new")
    else:
        with Output(home, folder / "out").file() as target, target.open() as file:
            file.write(b"new")
    assert known == [True]


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "with the user's"])
@pytest.mark.parametrize("nth", range(1, 7))
def test_whichever_rename_fails(
    folder: Path, monkeypatch: pytest.MonkeyPatch, nth: int, beside: bool
) -> None:
    """A rename that fails on the way leaves everything as it was, and nothing aside."""
    export(folder, "old")
    if beside:
        work(folder)
    before, calls = there(folder), list[str]()

    def failing(call: Callable[[Path, Path], object]) -> Callable[[Path, Path], object]:
        def once(one: Path, other: Path) -> object:
            calls.append(str(one))
            if len(calls) == nth:
                raise PermissionError(13, "Permission denied")
            return call(one, other)

        return once

    monkeypatch.setattr(placing, "give_name", failing(renaming.give_name))
    monkeypatch.setattr(placing, "swap", failing(renaming.swap))
    try:
        export(folder, "new", force=True)
    except StoreError:
        assert there(folder) == before
    else:
        assert len(calls) < nth
    assert {path.name for path in folder.iterdir()} == {"home", "out"}


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "with the user's"])
@pytest.mark.parametrize("edited", [False, True], ids=["added", "edited"])
def test_what_changes_at_the_last_moment(
    folder: Path, monkeypatch: pytest.MonkeyPatch, beside: bool, edited: bool
) -> None:
    """Whatever somebody does after the last look stays his: beside the new export, or instead of it."""
    export(folder, "old")
    mine, note = work(folder) if beside else {}, placing.place
    changed = "out/data.yaml" if edited else "out/new.txt"

    def late(*told: object) -> None:
        (folder / changed).write_text("mine, by hand")
        note(*told)  # type: ignore[arg-type] # as they came

    monkeypatch.setattr("mwbatch.journal.outputs.user_files.place", late)
    if edited:
        with pytest.raises(UsageError):
            export(folder, "new", force=True)
        mine |= {"out/labels/a.txt": "old"}
    else:
        export(folder, "new", force=True)
        mine |= {"out/labels/a.txt": "new", "out/data.yaml": "new"}
    assert there(folder) == {**mine, changed: "mine, by hand"}


def test_what_cannot_be_given_back_is_left_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where what came out cannot go back to its place, it stays beside it under a name of its own."""
    (tmp_path / "home").mkdir()
    export(tmp_path, "old")
    swaps = [True, False]

    def late(one: Path, other: Path) -> bool:
        if swaps.pop(0):
            (tmp_path / "out" / "notes.txt").write_text("mine")
            return renaming.swap(one, other)
        return False

    monkeypatch.setattr(placing, "swap", late)
    with pytest.raises(UsageError):
        export(tmp_path, "new", force=True)
    assert there(tmp_path)["out.mine/notes.txt"] == "mine"


def test_a_file_is_replaced_as_it_was_seen(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is edited after the last look is left as it was edited."""
    path = folder / "out.csv"
    output = Output(Home(folder / "home"), path, force=True)
    for text in ("old", "new"):
        with output.file() as target, target.open() as file:
            file.write(text.encode())
    note = placing.place

    def late(*told: object) -> None:
        path.write_text("mine, by hand")
        note(*told)  # type: ignore[arg-type] # as they came

    monkeypatch.setattr("mwbatch.journal.outputs.user_files.place", late)
    with pytest.raises(UsageError), output.file() as target, target.open() as file:
        file.write(b"newer")
    assert there(folder) == {"out.csv": "mine, by hand"}


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("is_folder", [False, True])
def test_what_has_a_name_is_on_the_disk(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, force: bool, is_folder: bool
) -> None:
    """What was written reaches the disk before it has its name, and the name after it was given."""
    output, calls = Output(Home(folder / "home"), folder / "out", force, NAMES), list[str]()

    def write(text: str) -> None:
        if is_folder:
            export(folder, text, force=force)
        else:
            with output.file() as target, target.open() as file:
                file.write(text.encode())

    def said(what: str) -> str:
        texts = [
            path.read_text() for path in (folder / "out", folder / "out" / "data.yaml") if path.is_file()
        ]
        return f"{what}, named" if texts == ["new"] else what

    settle, sync_all = Disk.settle, os.sync

    def note_settle(disk: Disk, file: int) -> None:
        if os.fstat(file).st_ino == folder.stat().st_ino:
            calls.append(said("folder"))
        elif stat.S_ISREG(os.fstat(file).st_mode) and os.pread(file, 3, 0) == b"new":
            calls.append(said("file"))
        settle(disk, file)

    def note_sync_all() -> None:
        calls.append(said("all"))
        sync_all()

    if force:
        write("old")
    monkeypatch.setattr(Disk, "settle", note_settle)
    monkeypatch.setattr(os, "sync", note_sync_all)
    write("new")
    assert calls[0] == ("all" if is_folder else "file")
    assert calls[-1] == "folder, named"


@pytest.mark.parametrize(
    ("name", "word", "names"),
    [
        ("a.tar.gz", "", ["a.2.tar.gz", "a.3.tar.gz"]),
        ("a", "", ["a.2", "a.3"]),
        (".a", "", [".2.a", ".3.a"]),
        ("a.csv", "mine", ["a.csv.mine", "a.csv.mine.2", "a.csv.mine.3"]),
    ],
)
def test_names_that_nothing_has(tmp_path: Path, name: str, word: str, names: list[str]) -> None:
    """A number stands before all endings, and counts from 2; a word stands behind them, at first without one;
    a link that leads nowhere has its name, too.
    """
    for expected in names:
        assert placing.free(tmp_path / name, word) == tmp_path / expected
        (tmp_path / expected).symlink_to("nowhere")
