"""The one way to put a file in its place: whole, durable, never through a link,
and nothing left of what was killed.
"""

import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from mwbatch.core.codec.ids import RowNumber
from mwbatch.core.facts.kinds import Planned
from mwbatch.core.facts.lines import line
from mwbatch.journal.files import renaming
from mwbatch.journal.files.replacing import aside, make_folder, make_public
from mwbatch.journal.home.begun import Begun
from mwbatch.journal.home.folder_record import NAME as INFO
from mwbatch.journal.home.home import Home
from mwbatch.journal.home.row_digests import NAME as DIGESTS
from mwbatch.journal.home.row_digests import asked
from mwbatch.journal.interface.batch_info import BatchInfo
from mwbatch.journal.keys.keys_json import load_or_make
from mwbatch.journal.keys.rotation import rotate
from tests.support.records import rewrite

LEFT: Final = "mwbatch-0123456789abcdef"
CHILD: Final = """
import sys
from pathlib import Path
from mwbatch.journal.files.replacing import Staged, make_folder, make_public
from mwbatch.journal.files.disk import DISK
makers = {"file": DISK.create, "public": make_public, "folder": make_folder}
new = Staged(Path(sys.argv[1]), DISK, makers[sys.argv[2]])
print(new.path, flush=True)
sys.stdin.read()
"""


def names(folder: Path) -> list[str]:
    """What stands in a folder."""
    return [path.name for path in folder.iterdir()]


def hidden(folder: Path) -> list[str]:
    """What stands aside."""
    return [name for name in names(folder) if name.startswith(".")]


@pytest.fixture(params=["file", "public", "folder"])
def writing(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    """Another process that writes what is to be ``there``."""
    command = [sys.executable, "-c", CHILD, str(tmp_path / "there"), request.param]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline().startswith(str(tmp_path))
        yield child
        child.kill()


def test_what_a_kill_has_left_is_removed_next_time(tmp_path: Path, writing: subprocess.Popen[str]) -> None:
    """What another process writes now is left alone; once that was killed,
    the next one who writes there removes it.
    """
    (other,) = hidden(tmp_path)
    with aside(tmp_path / "there") as new:
        assert set(hidden(tmp_path)) == {other, new.path.name}
    writing.kill()
    writing.wait()
    assert hidden(tmp_path) == [other]
    with aside(tmp_path / "there") as new:
        assert hidden(tmp_path) == [new.path.name]
        new.replace()
    assert names(tmp_path) == ["there"]


@pytest.mark.parametrize("letter", ["x", "é", "\U0001f600"])
def test_a_name_may_be_as_long_as_names_are(tmp_path: Path, letter: str) -> None:
    """A file whose name takes all of the 255 bytes is put in its place as any other,
    and its leftovers are removed.
    """
    place = tmp_path / (letter * (255 // len(letter.encode())))
    with aside(place) as left:
        left.path.rename(left.path.with_name(left.path.name[:-16] + 16 * "0"))
    assert hidden(tmp_path)
    with aside(place) as new:
        new.put()
    assert names(tmp_path) == [place.name]


def test_what_is_taken_for_a_leftover_is_made_again(tmp_path: Path) -> None:
    """Who finds that another one removed what he has just made, and not locked yet, makes another."""
    made = list[Path]()

    def make(path: Path) -> int:
        file = make_public(path)
        made.append(path)
        if len(made) == 1:
            path.unlink()
        return file

    with aside(tmp_path / "there", make=make) as new:
        new.write(b"new")
        new.put()
    assert (len(made), (tmp_path / "there").read_bytes()) == (2, b"new")


def test_only_our_own_leftovers_are_removed(tmp_path: Path) -> None:
    """What is merely called alike stays: another file's, a link, a name with more in it."""
    alike = {f".other.{LEFT}", f".there.{LEFT}x", ".there.0123456789abcdef", f"there.{LEFT}"}
    for name in alike:
        (tmp_path / name).write_text("mine")
    (tmp_path / f".there.{LEFT}").symlink_to("mine")
    with aside(tmp_path / "there"):
        pass
    assert set(names(tmp_path)) == {*alike, f".there.{LEFT}"}


def asks(folder: Path) -> None:
    """Write the digests of a batch."""
    (folder / "rows").mkdir(exist_ok=True)
    row = Planned(
        1.0, RowNumber(0), "a", 2, "tagging", {"image_url": "https://a/1", "objects_to_tag": "brands"}, {}
    )
    (folder / "rows" / "1.jsonl").write_bytes(line(row))
    (folder / DIGESTS).unlink(missing_ok=True)
    list(asked(folder))


def makes(folder: Path) -> None:
    """Make a batch, and write its info anew."""
    home = Home(folder.parent)
    info = BatchInfo(folder.name, "b234567890", "http://127.0.0.1:1", "/m.csv", "id", ())
    if not (folder / INFO).exists():
        home.create(info)
    rewrite(folder, info)


WRITERS: Final[dict[str, Callable[[Path], object]]] = {
    "batch.json": makes,
    "digests.bin": asks,
    "b234567890.jsonl": lambda folder: Begun(folder / "b234567890.jsonl").write({"rows/1.jsonl": 1}),
    "keys.json": lambda folder: load_or_make(folder / "keys.json"),
    "rotated.json": lambda folder: rotate(folder / "rotated.json", 1.0),
}
"""Every file of the home that is put in its place, and what writes it."""


@pytest.mark.parametrize("name", WRITERS)
def test_every_writer_leaves_nothing(tmp_path: Path, name: str) -> None:
    """Whatever writes a file of the home removes what was left beside it, and leaves nothing itself."""
    (tmp_path / f".{name}.{LEFT}").write_text("half")
    for _ in range(2):
        WRITERS[name](tmp_path)
    assert [other for other in hidden(tmp_path) if not other.endswith(".lock")] == []
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["batch.json", "digests.bin", "b234567890.jsonl"])
def test_a_link_leads_nothing_astray(tmp_path: Path, name: str) -> None:
    """Where a link stands in the place of a file of the home, what it leads to stays as it was."""
    mine = tmp_path / "mine"
    batch = tmp_path / "batch"
    batch.mkdir()
    WRITERS[name](batch)
    mine.write_bytes((batch / name).read_bytes())
    (batch / name).unlink()
    (batch / name).symlink_to(mine)
    before = mine.stat()
    WRITERS[name](batch)
    assert (mine.stat().st_ino, mine.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert not (batch / name).is_symlink()


@pytest.mark.parametrize("plain", [False, True], ids=["the system's rename", "neither rename nor link"])
@pytest.mark.parametrize("make", [make_public, make_folder])
def test_nothing_is_replaced_that_is_there(
    tmp_path: Path, make: Callable[[Path], int], plain: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name is given only where nothing has it, were it a link that leads nowhere;
    on file systems without such renames too.
    """
    if plain:
        monkeypatch.setattr(renaming, "_call", lambda: None)
        monkeypatch.setattr(os, "link", _unknown)
    for links in (False, True):
        if links:
            (tmp_path / "there").symlink_to("nowhere")
        else:
            (tmp_path / "there").write_text("mine")
        with pytest.raises(FileExistsError), aside(tmp_path / "there", make=make) as new:
            new.put()
        assert names(tmp_path) == ["there"]
        (tmp_path / "there").unlink()
    with aside(tmp_path / "there", make=make) as new:
        new.put()
    assert names(tmp_path) == ["there"]


def test_a_file_is_never_renamed_onto_what_came_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the system knows no rename that keeps off, a link does: what takes the name after the look
    that told it free stays as it is.
    """
    monkeypatch.setattr(renaming, "_call", lambda: None)
    monkeypatch.setattr(os.path, "lexists", lambda _: False)
    (tmp_path / "old").write_text("ours")
    (tmp_path / "new").write_text("theirs")
    with pytest.raises(FileExistsError):
        renaming.give_name(tmp_path / "old", tmp_path / "new")
    assert (tmp_path / "new").read_text() == "theirs"


def test_a_link_gets_the_new_name_and_not_what_it_leads_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the system knows no rename that keeps off, a link is renamed as what it is."""
    monkeypatch.setattr(renaming, "_call", lambda: None)
    (tmp_path / "there").write_text("ours")
    (tmp_path / "old").symlink_to("there")
    renaming.give_name(tmp_path / "old", tmp_path / "new")
    assert (sorted(names(tmp_path)), (tmp_path / "new").readlink()) == (["new", "there"], Path("there"))


def _unknown(*_: object, **__: object) -> None:
    raise PermissionError(1, "Operation not permitted")
