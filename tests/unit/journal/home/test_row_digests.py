"""The digests beside a batch: a cache that is never believed where it might be wrong."""

import stat
from collections.abc import Sequence
from pathlib import Path
from struct import iter_unpack
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mwbatch.core.facts.digests import stable_digest
from mwbatch.core.facts.kinds import Fact, Planned, Request
from mwbatch.core.facts.lines import line
from mwbatch.errors import StoreError
from mwbatch.journal.files.disk import Disk
from mwbatch.journal.files.unwanted import WISH, Unwanted
from mwbatch.journal.home import row_digests as module
from mwbatch.journal.home.row_digests import MAGIC, NAME, asked
from mwbatch.journal.segments.folders import ROWS
from mwbatch.journal.segments.journal import Segments
from tests.support.disks import descriptors, unprivileged
from tests.support.facts import plan

SIGNED = "?X-Amz-Signature=s{}&X-Amz-Credential=c"


def row(number: int, picture: int | None = None, signature: str = "") -> Planned:
    """A planned row that shows a picture, its own where none is named."""
    url = f"https://images.example.com/{number if picture is None else picture}.jpg{signature}"
    return plan(number)._replace(request={"image_url": url, "objects_to_tag": "brands"})


def write(folder: Path, facts: Sequence[Fact]) -> None:
    """Plan rows, in a segment of their own."""
    (folder / ROWS).mkdir(exist_ok=True)
    segment = folder / ROWS / f"{len(list((folder / ROWS).iterdir()))}-test.jsonl"
    segment.write_bytes(b"".join(map(line, facts)))


def read(folder: Path, volatile: Sequence[str] = (), *, keep: bool = True) -> set[tuple[int, bytes]]:
    """What the module says."""
    return {pair for block in asked(folder, volatile, keep=keep) for pair in iter_unpack("<Q16s", block)}


def naive(folder: Path, volatile: Sequence[str] = ()) -> set[tuple[int, bytes]]:
    """What it should say: each planned fact on disk, asked anew."""
    return {
        (fact.row, stable_digest(fact.type, fact.request, volatile))
        for fact in Segments(folder, "view").read()
        if isinstance(fact, Planned)
    }


def reads_segments(folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many lines are read of the segments, where the digests are asked for once more."""
    lines = 0

    def counting(kind: str, request: Request, volatile: Sequence[str]) -> bytes:
        nonlocal lines
        lines += 1
        return stable_digest(kind, request, volatile)

    with monkeypatch.context() as patched:
        patched.setattr(module, "stable_digest", counting)
        assert read(folder) == naive(folder)
    return lines


numbers = st.lists(st.integers(0, 40), max_size=12)


@settings(deadline=None)
@given(numbers, numbers, st.sampled_from([(), ("v",), ("v", "w")]))
def test_it_says_what_the_rows_ask_for(
    first: list[int], second: list[int], volatile: tuple[str, ...]
) -> None:
    """Empty, kept, grown or asked for under other names: it is what reading every row would say."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        assert read(folder, volatile) == set()
        for numbers_of in (first, second):
            write(folder, [row(n, n % 7, f"?v={n}&keep={n % 3}") for n in numbers_of])
            for names in (volatile, volatile, ("w",)):
                assert read(folder, names) == naive(folder, names)


@settings(deadline=None)
@given(st.data())
def test_nothing_damaged_is_believed(data: st.DataObject) -> None:
    """Cut it anywhere, change any byte, write more behind it: it is made anew, and says what the rows say."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, [row(n) for n in range(5)])
        truth = read(folder)
        file = folder / NAME
        whole = file.read_bytes()
        place = data.draw(st.integers(0, len(whole) - 1))
        flipped = bytearray(whole)
        flipped[place] ^= data.draw(st.integers(1, 255))
        file.write_bytes(
            data.draw(st.sampled_from([whole[:place], bytes(flipped), whole + whole[:place] + b"x"]))
        )
        assert read(folder) == truth == naive(folder)
        assert file.read_bytes() == whole


def test_another_version_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another version of mwbatch wrote is not believed, be it whole."""
    write(tmp_path, [row(n) for n in range(5)])
    with monkeypatch.context() as older:
        older.setattr(module, "MAGIC", MAGIC[:-1] + b"\0")
        older.setattr(module, "stable_digest", lambda *_: bytes(16))
        read(tmp_path)
    assert reads_segments(tmp_path, monkeypatch) == 5


def test_what_is_kept_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it covers is read once; what grows behind it is read, and added."""
    write(tmp_path, [row(n) for n in range(5)])
    assert [reads_segments(tmp_path, monkeypatch) for _ in range(2)] == [5, 0]
    write(tmp_path, [row(n) for n in range(5, 8)])
    assert [reads_segments(tmp_path, monkeypatch) for _ in range(2)] == [3, 0]
    (segment, *_) = sorted((tmp_path / ROWS).iterdir())
    with segment.open("ab") as file:
        file.write(line(row(9)) + line(row(10))[:20])
    assert [reads_segments(tmp_path, monkeypatch) for _ in range(2)] == [1, 0]


def test_segments_that_are_others_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A segment that shrank, is gone, or ends otherwise than it did where it was covered:
    all is read anew.
    """
    write(tmp_path, [row(n) for n in range(3)])
    (segment,) = (tmp_path / ROWS).iterdir()
    lines = segment.read_bytes().splitlines(keepends=True)
    for others in ([*lines[:2]], [*lines[:2], line(row(8)), line(row(9))], [*lines[:2], line(row(7))[:-1]]):
        segment.write_bytes(b"".join(lines))
        assert [reads_segments(tmp_path, monkeypatch) for _ in range(2)][1] == 0
        segment.write_bytes(b"".join(others))
        assert reads_segments(tmp_path, monkeypatch) >= 2
    segment.unlink()
    assert read(tmp_path) == set()


def test_it_is_for_its_owner_only_and_leaves_nothing_aside(tmp_path: Path) -> None:
    """The file is 0600, and of what died while it wrote one nothing stays."""
    write(tmp_path, [row(1)])
    (tmp_path / f".{NAME}.mwbatch-0123456789abcdef").write_bytes(b"half")
    read(tmp_path)
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == {NAME}


def test_who_stops_reading_keeps_nothing(tmp_path: Path) -> None:
    """Half of a reading is no cache."""
    write(tmp_path, [row(1)])
    blocks = asked(tmp_path)
    next(blocks)
    blocks.close()  # type: ignore[attr-defined]
    assert [path.name for path in tmp_path.iterdir()] == [ROWS]


def test_who_only_looks_writes_nothing(tmp_path: Path) -> None:
    """A view leaves the folder as it was."""
    write(tmp_path, [row(1)])
    assert read(tmp_path, keep=False) == naive(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [ROWS]


@pytest.mark.parametrize("failing", ["create", "replace", "write"])
def test_where_it_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    """A folder or a disk that takes nothing costs time, and no answer."""
    write(tmp_path, [row(1)])

    def fails(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        match failing:
            case "replace":
                broken.setattr(Path, "replace", fails)
            case _:
                broken.setattr(Disk, failing, fails)
        assert read(tmp_path) == naive(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [ROWS]


def test_a_segment_that_cannot_be_read_is_no_empty_one(tmp_path: Path) -> None:
    """Rows that nobody can read are not rows that nobody asked for."""
    with unprivileged(tmp_path) as folder:
        write(folder, [row(1)])
        read(folder)
        (segment,) = (folder / ROWS).iterdir()
        segment.chmod(0)
        with pytest.raises(StoreError, match="cannot read"):
            read(folder)


class Fleeting:
    """The wish of somebody who goes away after ``looks`` looks at whether he is there."""

    def __init__(self, looks: int) -> None:
        self.looks = looks

    @property
    def gone(self) -> bool:
        """Whether he went."""
        self.looks -= 1
        return self.looks < 0


def test_read_for_nobody_leaves_nothing_open(tmp_path: Path) -> None:
    """Whichever block it is at which nobody waits any more: no file stays open,
    and none lies beside the digests.
    """
    there = []
    for looks in range(99):
        folder = tmp_path / str(looks)
        folder.mkdir()
        write(folder, [row(number) for number in range(9)])
        read(folder)
        write(folder, [row(10)])
        names, before = sorted(folder.rglob("*")), descriptors()
        token = WISH.set(Fleeting(looks))  # type: ignore[arg-type]
        try:
            read(folder)
        except Unwanted as left:  # its frames are held meanwhile, and what they hold
            there.append((left, descriptors() - before, sorted(folder.rglob("*")) == names))
        else:
            break
        finally:
            WISH.reset(token)
    assert len(there) > 4
    assert {left[1:] for left in there} == {(0, True)}


def test_the_signature_does_not_count(tmp_path: Path) -> None:
    """Two rows whose URLs differ in what signs them ask for the same."""
    write(tmp_path, [row(0, 1, SIGNED.format(1)), row(1, 1, SIGNED.format(2)), row(2, 1)])
    assert len({digest for _, digest in read(tmp_path)}) == 1
