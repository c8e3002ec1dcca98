"""What the user has is his: no verb overwrites,
deletes or writes through a link what mwbatch did not write.
"""

import json
import os
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from mwbatch.simulator import Settings
from tests.e2e.support.fixtures import FAST
from tests.e2e.support.stage import Api, Stage

ASK: Final = ("--instruction", "Is it good?", "--option", "good", "--option", "bad")
MINE: Final = "mine\n"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory, apis: Callable[[Settings], Api]) -> Stage:
    """Batch `m` of six pictures, complete, its manifest with sizes."""
    stage = Stage(tmp_path_factory.mktemp("shelf"), apis(FAST))
    rows = [
        {"id": f"r{n}", "image_url": f"{stage.pictures}/{n}.jpg", "image_width": 640, "image_height": 480}
        for n in range(6)
    ]
    (stage.folder / "m.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert stage.run("run", "m.jsonl", "--port", "0").code == 0
    return stage


@pytest.fixture
def own(shelf: Stage, tmp_path: Path) -> Iterator[Stage]:
    """The same batch seen from a folder of this test's own."""
    folder = Stage(tmp_path, shelf.api, dict(shelf.env))
    before = (shelf.folder / "m.jsonl").read_bytes()
    yield folder
    assert (shelf.folder / "m.jsonl").read_bytes() == before


WRITERS: Final[dict[str, tuple[str, ...]]] = {
    "results": ("results", "m"),
    "csv": ("export", "m", "--format", "csv"),
    "coco": ("export", "m", "--format", "coco"),
    "label-studio": ("export", "m", "--format", "label-studio"),
    "make-annotating": ("make-annotating", "m", *ASK),
}
"""Every verb that writes a file where the user says."""


@pytest.fixture(params=WRITERS)
def writer(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return WRITERS[request.param]


def names(folder: Path) -> set[str]:
    """What stands in a folder, hidden or not, but for the home."""
    return {path.name for path in folder.iterdir()} - {"home"}


def test_what_is_there_stays(own: Stage, writer: tuple[str, ...]) -> None:
    """A file of the user's is replaced neither without --force nor with it,
    and the way on that is printed works.
    """
    mine = own.folder / "out.json"
    mine.write_text(MINE)
    for more in ((), ("--force",)):
        refused = own.run(*writer, "-o", "out.json", *more)
        assert (refused.code, mine.read_text(), names(own.folder)) == (2, MINE, {"out.json"}), refused.err
        assert "--force" not in refused.err
    free = refused.err.partition("such as -o ")[2].split()[0]
    assert own.run(*writer, "-o", free).code == 0
    assert (mine.read_text(), names(own.folder)) == (MINE, {"out.json", free})


@pytest.mark.parametrize(
    "there", ["/dev/null", "/dev/stdout", "/proc/self/fd/1", "/dev/none", "fifo", "link"]
)
def test_devices_and_pipes_are_no_files(own: Stage, writer: tuple[str, ...], there: str) -> None:
    """Where no file can be is said, with no name beside a device as the way on,
    and nothing is written or waited for.
    """
    os.mkfifo(own.folder / "fifo")
    (own.folder / "link").symlink_to("fifo")
    for more in ((), ("--force",)):
        refused = own.run(*writer, "-o", there, *more)
        assert (refused.code, "name a file" in refused.err, "such as" in refused.err) == (2, True, False)
    assert names(own.folder) == {"fifo", "link"}


def test_what_mwbatch_wrote_is_replaced(own: Stage, writer: tuple[str, ...]) -> None:
    """With --force, as the refusal says, what mwbatch wrote is replaced; moved or copied it is still that."""
    assert own.run(*writer, "-o", "out.json").code == 0
    written = (own.folder / "out.json").read_bytes()
    (own.folder / "copy.json").write_bytes(written)
    refused = own.run(*writer, "-o", "copy.json")
    assert (refused.code, "--force" in refused.err) == (2, True)
    again = own.run(*writer, "-o", "copy.json", "--force")
    assert (again.code, (own.folder / "copy.json").read_bytes()) == (0, written), again.err
    assert names(own.folder) == {"out.json", "copy.json"}


def test_what_was_edited_is_the_users(own: Stage, writer: tuple[str, ...]) -> None:
    """A file that mwbatch wrote and somebody changed is his: --force leaves it."""
    assert own.run(*writer, "-o", "out.json").code == 0
    edited = (own.folder / "out.json").read_text() + MINE
    (own.folder / "out.json").write_text(edited)
    assert own.run(*writer, "-o", "out.json", "--force").code == 2
    assert (own.folder / "out.json").read_text() == edited


@pytest.mark.parametrize("kind", ["itself", "symbolic", "hard"])
def test_a_manifest_is_never_replaced(shelf: Stage, own: Stage, writer: tuple[str, ...], kind: str) -> None:
    """The manifest that a batch names is replaced under no name that leads to it."""
    manifest, there = shelf.folder / "m.jsonl", own.folder / "out.jsonl"
    if kind == "itself":
        there = manifest
    elif kind == "symbolic":
        there.symlink_to(manifest)
    else:
        there.hardlink_to(manifest)
    inode = there.stat().st_ino
    assert own.run(*writer, "-o", str(there), "--force").code == 2
    assert there.stat().st_ino == inode


def test_a_manifest_that_mwbatch_made(own: Stage) -> None:
    """Once it was submitted, a manifest of stage two is one like any other: --force leaves it,
    and says whose it is.
    """
    made = own.run("make-annotating", "m", *ASK, "-o", "two.jsonl")
    (command,) = (line.strip() for line in made.out.splitlines() if line.startswith("  mwbatch"))
    assert own.run(*shlex.split(command)[1:], "--callback-url", "none", "--batch", own.folder.name).code == 0
    (own.folder / "other.jsonl").hardlink_to(own.folder / "two.jsonl")
    for name in ("two.jsonl", "other.jsonl"):
        refused = own.run("make-annotating", "m", *ASK, "-o", name, "--force")
        assert (refused.code, f"the manifest of batch {own.folder.name}" in refused.err) == (2, True), (
            refused.err
        )


def test_never_through_a_link(own: Stage, writer: tuple[str, ...]) -> None:
    """A link at the path, a dangling one too, is left as it is, and so is what it leads to."""
    (own.folder / "mine").write_text(MINE)
    for target in ("mine", "nowhere"):
        (own.folder / "out.json").symlink_to(own.folder / target)
        for more in ((), ("--force",)):
            assert own.run(*writer, "-o", "out.json", *more).code == 2
        assert (own.folder / "out.json").readlink() == own.folder / target
        (own.folder / "out.json").unlink()
    assert (names(own.folder), (own.folder / "mine").read_text()) == ({"mine"}, MINE)


def test_what_mwbatch_needs_is_never_replaced(shelf: Stage, own: Stage, writer: tuple[str, ...]) -> None:
    """Nothing is written among what the home is made of, whether it is there or not."""
    for name in ("keys.json", "home.lock", "m/batch.json", "m/rows/new.jsonl", "m/new", ".begun/new"):
        path = shelf.home / name
        before = path.read_bytes() if path.exists() else None
        assert own.run(*writer, "-o", str(path), "--force").code == 2
        assert (path.read_bytes() if path.exists() else None) == before


def test_a_mode_that_was_set_stays(own: Stage, writer: tuple[str, ...]) -> None:
    """A new file is as open as the umask says; one that is replaced keeps the mode that somebody gave it."""
    assert own.run(*writer, "-o", "out.json").code == 0
    umask = os.umask(0o22)
    os.umask(umask)
    assert (own.folder / "out.json").stat().st_mode & 0o777 == 0o666 & ~umask
    (own.folder / "out.json").chmod(0o600)
    assert own.run(*writer, "-o", "out.json", "--force").code == 0
    assert (own.folder / "out.json").stat().st_mode & 0o777 == 0o600


FOLDERS: Final = ("yolo", "voc", "coco", "label-studio")


@pytest.mark.parametrize("kind", FOLDERS)
def test_a_folder_that_somebody_worked_in(own: Stage, kind: str) -> None:
    """What somebody changed or added within an export is his: --force refuses,
    and runs once it was moved away as told.
    """
    export = ("export", "m", "--format", kind, "-o", "out")
    assert own.run(*export).code == 0
    out = own.folder / "out"
    changed = next(path for path in sorted(out.rglob("*")) if path.is_file() and path.name != "images.csv")
    changed.write_text(MINE)
    (out / "notes.txt").write_text(MINE)
    refused = own.run(*export, "--force")
    assert (refused.code, changed.read_text()) == (2, MINE), refused.err
    (move,) = (line.strip() for line in refused.err.splitlines() if line.strip().startswith("mv "))
    _, _, old, new = shlex.split(move)
    (own.folder / old).rename(own.folder / new)
    assert own.run(*export, "--force").code == 0
    assert changed.read_text() != MINE
    assert (out / "notes.txt").read_text() == MINE
    kept = [path for path in out.rglob("*") if path.is_file() and path.read_text() == MINE]
    assert len(kept) == 2


def test_a_trainers_cache_is_put_aside(own: Stage) -> None:
    """A trainer's cache of labels that are replaced is stale, and yet not ours:
    it is kept under another name.
    """
    export = ("export", "m", "--format", "yolo", "-o", "out")
    assert own.run(*export).code == 0
    for kept in ({"labels.cache.old"}, {"labels.cache.old", "labels.cache.old.2"}):
        (own.folder / "out" / "labels.cache").write_text(MINE)
        assert own.run(*export, "--force").code == 0
        assert {path.name for path in (own.folder / "out").glob("labels.cache*")} == kept


def test_a_folder_is_never_written_into_a_link(own: Stage) -> None:
    """An export's folder, or a part of it, that was replaced by a link is left alone,
    and what it leads to.
    """
    export = ("export", "m", "--format", "yolo", "-o", "out")
    assert own.run(*export).code == 0
    (own.folder / "out").rename(own.folder / "elsewhere")
    (own.folder / "out").symlink_to("elsewhere")
    assert own.run(*export, "--force").code == 2
    assert (own.folder / "out").is_symlink()
    (own.folder / "elsewhere" / "labels").rename(own.folder / "labels")
    (own.folder / "elsewhere" / "labels").symlink_to(own.folder / "labels")
    assert own.run("export", "m", "--format", "yolo", "-o", "elsewhere", "--force").code == 2
    assert (own.folder / "elsewhere" / "labels").is_symlink()
    assert len(list((own.folder / "labels").iterdir())) == 6


def test_an_empty_folder_stays(own: Stage, writer: tuple[str, ...]) -> None:
    """A folder of the user's is replaced by no file, were it empty; and none is made of where he is."""
    (own.folder / "out.json").mkdir()
    for path in ("out.json", ".", "..", "/"):
        if path != "out.json" or "coco" not in writer:
            assert own.run(*writer, "-o", path, "--force").code == 2
    assert (names(own.folder), (own.folder / "out.json").is_dir()) == ({"out.json"}, True)


def test_standard_output_is_no_file(own: Stage, writer: tuple[str, ...]) -> None:
    """`-o -` makes no file named -: results go to standard output, all others say that they need a file."""
    ran = own.run(*writer, "-o", "-")
    assert (ran.code, names(own.folder)) == (0 if writer[0] == "results" else 2, set())
    assert (len(ran.out.splitlines()) == 6) is (writer[0] == "results")


def test_results_are_whole(own: Stage) -> None:
    """`results -o` writes what it prints, says so, and follows nothing."""
    printed = own.run("results", "m")
    said = own.json("results", "m", "-o", "r.jsonl")
    assert (said["path"], said["written"]) == ("r.jsonl", 6)
    assert (own.folder / "r.jsonl").read_text() == printed.out
    assert own.run("results", "m", "-o", "f.jsonl", "--follow").code == 2
    assert names(own.folder) == {"r.jsonl"}
