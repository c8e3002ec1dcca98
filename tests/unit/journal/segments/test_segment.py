"""One segment: what a failing disk leaves, and what is read of a harmed file."""

import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from mwbatch.core.facts.kinds import Fact, Seen
from mwbatch.core.facts.lines import line, parse
from mwbatch.errors import DiskFull, Displaced, Poisoned, StoreError
from mwbatch.journal.files.disk import Disk
from mwbatch.journal.interface.health import Damage, DamageKind
from mwbatch.journal.segments import scan as reading
from mwbatch.journal.segments.scan import Again, placed, read, written_now
from mwbatch.journal.segments.segment import Segment
from tests.support.disks import Failing, Fate, descriptors, unprivileged
from tests.support.facts import answer, fail, show

FACTS: list[Fact] = [show(1), fail(2, final=True), answer(3), show(4)]
LINES = [line(fact) for fact in FACTS]
WHOLE = b"".join(LINES)
FULL = [errno.ENOSPC, errno.EDQUOT, errno.EFBIG]


def scan(path: Path) -> tuple[list[Fact], list[Damage]]:
    """The facts and the damage of a segment."""
    damage: list[Damage] = []
    return list(read(path, damage.append)), damage


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a test may put a segment."""
    return tmp_path / "segment.jsonl"


def test_what_was_appended_is_read(tmp_path: Path) -> None:
    """The facts of a segment are read in the order of writing, while it is written and after."""
    segment = Segment(tmp_path, "test")
    segment.append(b"".join(LINES[:2]))
    assert scan(segment.path) == (FACTS[:2], [])
    segment.append(b"".join(LINES[2:]))
    segment.close()
    assert scan(segment.path) == (FACTS, [])


def test_a_line_that_is_finished_while_it_is_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a writer adds to a cut line, between two looks of one reading,
    is no damage and is read the next time.
    """
    path.write_bytes(LINES[0] + LINES[1][:20])
    cut = reading._cut

    def written_on() -> None:
        with path.open("ab") as file:
            file.write(LINES[1][20:] + LINES[2])
        cut()

    monkeypatch.setattr(reading, "_cut", written_on)
    facts, damage = scan(path)
    assert (facts, [one.kind for one in damage]) == (FACTS[:1], [DamageKind.TORN])
    assert scan(path) == (FACTS[:3], [])


def test_only_the_owner_can_read(tmp_path: Path) -> None:
    """Files are 0600 and every folder made for them 0700, whatever the umask allows."""
    before = os.umask(0)
    segment = Segment(tmp_path / "a" / "b", "test")
    os.umask(before)
    modes = [stat.S_IMODE(p.stat().st_mode) for p in (segment.path, tmp_path / "a" / "b", tmp_path / "a")]
    segment.close()
    assert modes == [0o600, 0o700, 0o700]


def test_an_empty_segment_is_removed(tmp_path: Path) -> None:
    """A segment in which nothing was written leaves no file, and one that vanished held nothing."""
    segment = Segment(tmp_path, "test")
    segment.close()
    assert list(tmp_path.iterdir()) == []
    assert scan(segment.path) == ([], [])


def test_cut_at_every_byte(path: Path) -> None:
    """Cut anywhere, a segment gives its whole lines, invents nothing, and reports the torn end."""
    for size in range(len(WHOLE) + 1):
        path.write_bytes(WHOLE[:size])
        lines = WHOLE[:size].count(b"\n")
        begin = len(b"".join(LINES[:lines]))
        facts, damage = scan(path)
        assert facts == FACTS[:lines]
        assert [(d.offset, d.size, d.kind) for d in damage] == (
            [(begin, size - begin, DamageKind.TORN)] if size > begin else []
        )


def test_every_flipped_bit(path: Path) -> None:
    """With any bit of an earlier line flipped, no other line is lost, none invented,
    and damage is reported.
    """
    end = len(WHOLE) - len(LINES[3])
    for at in range(end - 1):
        for bit in (0, 3, 5) if WHOLE[at] != ord("\n") else range(8):
            path.write_bytes(WHOLE[:at] + bytes([WHOLE[at] ^ 1 << bit]) + WHOLE[at + 1 :])
            facts, damage = scan(path)
            assert [d.kind for d in damage] == [DamageKind.DAMAGED]
            assert damage[0].offset <= at < damage[0].offset + damage[0].size + 1
            lost = [fact for fact in FACTS if fact not in facts]
            assert facts == [fact for fact in FACTS if fact not in lost]
            assert len(lost) == (2 if WHOLE[at] == ord("\n") else 1)


def test_damage_in_two_places_is_told_twice(path: Path) -> None:
    """Each stretch of bad bytes is one damage; lines beside each other are one stretch."""
    bad = b"x" * 9 + b"\n"
    path.write_bytes(bad * 2 + LINES[0] + bad + LINES[1] + bad + b"half")
    facts, damage = scan(path)
    assert facts == FACTS[:2]
    first, second = 20 + len(LINES[0]), 30 + len(LINES[0] + LINES[1])
    assert [(d.offset, d.size, d.kind) for d in damage] == [
        (0, 19, DamageKind.DAMAGED),
        (first, 9, DamageKind.DAMAGED),
        (second, 14, DamageKind.TORN),
    ]


def test_a_live_tail_is_not_torn(tmp_path: Path) -> None:
    """Half a line of a segment that is being written is live; once its writer is gone it is torn."""
    segment = Segment(tmp_path, "test")
    segment.append(LINES[0])
    os.write(segment._file, b'{"v":1')
    assert [d.kind for d in scan(segment.path)[1]] == [DamageKind.LIVE]
    segment.close()
    assert [d.kind for d in scan(segment.path)[1]] == [DamageKind.TORN]


KILLED = """
import os, sys, time
from pathlib import Path
from mwbatch.journal.segments.segment import Segment
segment = Segment(Path(sys.argv[1]), "test")
segment.append(sys.stdin.buffer.read())
os.write(segment._file, b"half a line")
print(segment.path, flush=True)
time.sleep(60)
"""


def test_a_killed_writers_tail_is_torn(tmp_path: Path) -> None:
    """The half line of another process is live until that process is killed."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdin=pipe, stdout=pipe) as writer:
        assert writer.stdin
        assert writer.stdout
        writer.stdin.write(WHOLE)
        writer.stdin.close()
        path = Path(writer.stdout.readline().decode().strip())
        before = scan(path)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    after = scan(path)
    assert before[0] == after[0] == FACTS
    assert [before[1][0].kind, after[1][0].kind] == [DamageKind.LIVE, DamageKind.TORN]


def test_a_long_line_is_read_in_parts(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines longer than what is read at once are whole."""
    monkeypatch.setattr(reading, "_CHUNK", 7)
    path.write_bytes(WHOLE)
    assert scan(path) == (FACTS, [])


def test_an_unknown_fact_stops_the_reading(path: Path) -> None:
    """A line of a later version is refused with its place, never skipped."""
    path.write_bytes(LINES[0] + b'{"v":2,"crc":"f3c5c2f2"}\n')
    with pytest.raises(StoreError, match=f"at byte {len(LINES[0])}: .*version 2"):
        scan(path)


def test_a_segment_that_cannot_be_read_is_an_error(path: Path) -> None:
    """A read error is raised: what cannot be read is never taken for empty."""
    path.mkdir()
    with pytest.raises(StoreError, match="cannot read"):
        scan(path)


@pytest.mark.parametrize("full", FULL)
@pytest.mark.parametrize("taken", [[], ["short"], ["short", "short"]])
def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, full: int, taken: list[Fate]) -> None:
    """Without space nothing of the commit stays, and the next append succeeds."""
    segment = Segment(tmp_path, "test", Failing(write=[None, *taken, full]))
    segment.append(LINES[0])
    with pytest.raises(DiskFull, match="no space") as told:
        segment.append(b"".join(LINES[1:3]))
    assert "by itself" not in str(told.value)  # that depends on who is told
    assert segment.path.read_bytes() == LINES[0]
    segment.append(LINES[3])
    segment.close()
    assert scan(segment.path) == ([FACTS[0], FACTS[3]], [])


def test_a_short_write_goes_on(tmp_path: Path) -> None:
    """A write that takes a part is followed by the rest."""
    segment = Segment(tmp_path, "test", Failing(write=["short"] * 5))
    segment.append(WHOLE)
    segment.close()
    assert scan(segment.path) == (FACTS, [])


POISONS: list[dict[str, list[Fate]]] = [
    {"write": [None, errno.EIO]},
    {"write": [None, "short", errno.EIO]},
    {"sync": [None, None, errno.EIO]},
    {"sync": [None, None, errno.ENOSPC]},
    {"write": [None, "short", errno.ENOSPC], "truncate": [errno.EIO]},
]


@pytest.mark.parametrize("fates", POISONS)
def test_what_cannot_be_trusted_is_never_written_again(tmp_path: Path, fates: dict[str, list[Fate]]) -> None:
    """After EIO, a failed sync or a failed cut no byte reaches the file; what was durable is read."""
    disk = Failing(**fates)
    segment = Segment(tmp_path, "test", disk)
    segment.append(LINES[0])
    with pytest.raises(Poisoned):
        segment.append(LINES[1])
    disk.calls.clear()
    for _ in range(3):
        with pytest.raises(Poisoned):
            segment.append(LINES[2])
    assert disk.calls == []
    segment.close()
    assert scan(segment.path)[0] == FACTS[:1]


def test_what_was_not_synced_is_cut_off_if_it_can_be(tmp_path: Path) -> None:
    """Lines whose sync failed are no longer shown to readers, since the disk may lack them."""
    segment = Segment(tmp_path, "test", Failing(sync=[None, errno.EIO], truncate=[errno.EIO]))
    with pytest.raises(Poisoned):
        segment.append(LINES[0])
    segment.close()
    assert segment.path.read_bytes() == LINES[0]
    segment = Segment(tmp_path, "test", Failing(sync=[None, errno.EIO]))
    with pytest.raises(Poisoned):
        segment.append(LINES[0])
    segment.close()
    assert segment.path.read_bytes() == b""


def test_a_removed_file_is_told(tmp_path: Path) -> None:
    """Nobody is told that lines in a file that somebody removed are kept."""
    segment = Segment(tmp_path, "test")
    segment.append(LINES[0])
    segment.path.unlink()
    for _ in range(2):
        with pytest.raises(Displaced, match="removed"):
            segment.append(LINES[1])
    segment.close()


def test_a_file_where_nobody_may_look(tmp_path: Path) -> None:
    """A folder that was closed under it is told as that, and not as a file that was removed."""
    with unprivileged(tmp_path) as top:
        folder = top / "journal"
        segment = Segment(folder, "test")
        folder.chmod(0o600)
        with pytest.raises(Displaced, match=r"was put out of reach \(Permission denied\) while"):
            segment.append(LINES[0])
        folder.chmod(0o700)
        segment.close()


@pytest.mark.parametrize(
    ("fates", "error"),
    [
        ({"create": [errno.ENOSPC]}, DiskFull),
        ({"create": [errno.EACCES]}, StoreError),
        ({"create": [errno.EIO]}, Poisoned),
        ({"sync": [errno.EIO]}, Poisoned),
        ({"sync": [errno.ENOSPC]}, Poisoned),
        ({"settle": [errno.EIO]}, Poisoned),
        ({"settle": [None, errno.EIO]}, Poisoned),
        ({"settle": [None, errno.ENOSPC]}, Poisoned),
        ({"settle": [None, errno.ENOENT]}, StoreError),
        ({"settle": [None, errno.EACCES]}, StoreError),
        ({"settle": [None, errno.EMFILE]}, StoreError),
    ],
)
def test_a_segment_that_cannot_be_made(
    tmp_path: Path, fates: dict[str, list[Fate]], error: type[StoreError]
) -> None:
    """Where a segment cannot be made durable nothing is left, and the error says which kind it is.

    A folder that cannot be opened (here in the place of its sync) has not failed: another time it may be.
    """
    with pytest.raises(StoreError, match=r"cannot (create|make)") as raised:
        Segment(tmp_path, "test", Failing(**fates))
    assert raised.type is error
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_another_left_is_made_durable(tmp_path: Path) -> None:
    """A folder that is there may not be durable: its parent is synced again,
    and so is that of each missing one.
    """
    (tmp_path / "a").mkdir()
    disk = Failing()
    for calls in (["settle"] * 3, ["settle"]):
        disk.make_folder(tmp_path / "a" / "b" / "c")
        assert disk.calls == calls
        disk.calls.clear()


def test_a_write_that_takes_nothing_is_a_full_disk(tmp_path: Path) -> None:
    """A disk that takes less and less ends in DiskFull, not in an endless loop."""
    segment = Segment(tmp_path, "test", Failing(write=["short"] * 99))
    with pytest.raises(DiskFull):
        segment.append(WHOLE)
    segment.close()
    assert list(tmp_path.iterdir()) == []


def test_an_error_at_close_is_told(tmp_path: Path) -> None:
    """A close that fails is raised: the last bytes may be lost."""
    segment = Segment(tmp_path, "test", Failing(close=[errno.EIO]))
    segment.append(LINES[0])
    with pytest.raises(Poisoned, match="could not be closed"):
        segment.close()


def test_an_answer_is_read_with_its_body(tmp_path: Path) -> None:
    """The body of an answer comes back as it was written."""
    segment = Segment(tmp_path, "test")
    segment.append(line(answer(3)))
    (fact,), _ = scan(segment.path)
    segment.close()
    assert isinstance(fact, Seen)
    assert fact.body == b'{"response": "yes"}'


def test_a_fact_is_read_again_at_its_place(path: Path) -> None:
    """Where a fact was found it is found again; at any other place, or once the file is gone,
    it is an error.
    """
    path.write_bytes(WHOLE[:-1])
    again = Again(path)
    assert [again.fact(offset) for offset, _ in placed(path, lambda _: None, parse)] == FACTS[:3]
    for offset in (1, len(WHOLE) - len(LINES[3]), len(WHOLE)):
        with pytest.raises(StoreError, match=f"at byte {offset}"):
            again.fact(offset)
    path.unlink()
    with pytest.raises(StoreError, match="cannot read"):
        Again(path)


def test_a_long_fact_is_read_again(tmp_path: Path) -> None:
    """A fact is read again however long it is, and not where its end is missing."""
    long = answer(3)._replace(body=b'{"response":"%b"}' % (b"x" * 100_000))
    path = tmp_path / "long.jsonl"
    path.write_bytes(line(long) + line(long)[:-1])
    assert Again(path).fact(0) == long
    with pytest.raises(StoreError, match="cut off"):
        Again(path).fact(len(line(long)))


def test_what_reads_again_closes_its_file(path: Path) -> None:
    """The descriptor goes with the object."""
    path.write_bytes(WHOLE)
    before = descriptors()
    again = Again(path)
    assert descriptors() == before + 1
    del again
    assert descriptors() == before


def test_a_segment_is_written_until_it_is_closed(tmp_path: Path) -> None:
    """A segment is being written as long as its writer has it, and not once it is closed or gone."""
    segment = Segment(tmp_path, "test")
    assert written_now(segment.path)
    segment.append(WHOLE)
    segment.close()
    assert not written_now(segment.path)
    assert not written_now(tmp_path / "gone.jsonl")


def test_what_cannot_be_looked_at_is_not_there(tmp_path: Path) -> None:
    """A segment stands where its name leads to all that was written; where nobody can look it does not."""

    class Blind(Disk):
        def look(self, path: Path, file: int) -> int:
            raise OSError(errno.EACCES, f"{path} {file}")

    for disk, stands in ((Disk(), True), (Blind(), False)):
        segment = Segment(tmp_path, "test", disk)
        assert segment.stands is stands
        segment.close()
