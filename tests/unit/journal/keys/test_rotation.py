"""Changes to the callback keys: nothing is lost, whoever races, and whatever fails."""

import errno
import json
import os
import re
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from filelock import FileLock

from mwbatch.core.api.address import find, write
from mwbatch.core.codec.ids import Attempt, Kid, RowNumber
from mwbatch.errors import BatchBusy, StoreError, UsageError
from mwbatch.journal.keys import rotation
from mwbatch.journal.keys.keyring import Keys
from mwbatch.journal.keys.keys_json import load, load_or_make
from mwbatch.journal.keys.rotation import retire, rotate
from tests.support.disks import Failing, Fate

AT = 1_700_000_000.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the keys of a home that is not there yet would be."""
    return tmp_path / "home" / "keys.json"


def verifies(keys: Keys, by: Keys) -> bool:
    """Whether an address that the newest of ``by`` signed is accepted."""
    address = find(write("https://calls.test", by.newest, "b7", RowNumber(1), Attempt(1)))
    assert address
    return keys.verify(address)


def there(path: Path) -> Keys:
    """The keys on disk."""
    keys = load(path)
    assert keys
    return keys


def test_a_new_key_signs_and_the_old_one_verifies(path: Path) -> None:
    """After a rotation the new key signs, addresses of the old one are accepted,
    and nobody else can read the file.
    """
    old = load_or_make(path)
    new = rotate(path, AT)
    assert there(path) == new
    assert new.live[:-1] == old.live
    assert (new.newest.made_at, verifies(new, old)) == ("2023-11-14T22:13:20.000Z", True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {p.name for p in path.parent.iterdir()} == {"keys.json", ".keys.json.lock"}


def test_the_first_rotation_makes_the_first_key(path: Path) -> None:
    """Where there are no keys yet one is made, not two."""
    assert len(rotate(path, AT).live) == 1


def test_a_retired_key_leaves_its_name(path: Path) -> None:
    """The secret of a retired key is gone from the disk, its addresses are refused,
    its name and times are kept.
    """
    old = rotate(path, AT)
    rotate(path, AT)
    keys = retire(path, old.newest.kid, AT + 1)
    assert there(path) == keys
    assert not verifies(keys, old)
    [retired] = keys.retired
    assert (retired.kid, retired.made_at) == (old.newest.kid, old.newest.made_at)
    assert retired.retired_at == "2023-11-14T22:13:21.000Z"
    assert old.newest.secret.hex() not in path.read_text()


def test_retiring_again_changes_nothing(path: Path) -> None:
    """Whoever repeats the command, after a crash perhaps, finds it done."""
    kid = rotate(path, AT).newest.kid
    rotate(path, AT)
    assert retire(path, kid, AT) == retire(path, kid, AT + 9)


def test_what_cannot_be_retired(path: Path) -> None:
    """The newest key, the only one, and one that is not there are refused; the file stays as it is."""
    with pytest.raises(UsageError, match=r"no callback key 'k1'; keys there: none"):
        retire(path, Kid("k1"), AT)
    only = rotate(path, AT).newest.kid
    with pytest.raises(UsageError, match="mwbatch keys rotate"):
        retire(path, only, AT)
    newest, text = rotate(path, AT).newest.kid, path.read_bytes()
    with pytest.raises(UsageError, match="mwbatch keys rotate"):
        retire(path, newest, AT)
    with pytest.raises(UsageError, match=f"no callback key 'zz'; keys there: {only}, {newest}"):
        retire(path, Kid("zz"), AT)
    assert path.read_bytes() == text


def test_a_name_is_never_used_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new key gets a name that no key, live or retired, ever had."""
    first, second = rotate(path, AT).newest.kid, rotate(path, AT).newest.kid
    retire(path, first, AT)
    names = iter([first, second, "0new"])

    def token(size: int) -> str:
        return next(names) if size == 2 else os.urandom(size).hex()

    monkeypatch.setattr("mwbatch.journal.keys.keys_json.secrets.token_hex", token)
    assert rotate(path, AT).newest.kid == "0new"


@pytest.mark.parametrize(
    "fates",
    [
        {"create": [errno.ENOSPC]},
        {"write": ["short", errno.ENOSPC]},
        {"sync": [errno.EIO]},
    ],
)
def test_keys_are_changed_whole_or_not_at_all(path: Path, fates: dict[str, list[Fate]]) -> None:
    """On a disk that fails the old keys stay, no scrap is left, and the next try goes well."""
    old = rotate(path, AT)
    with pytest.raises(StoreError, match=re.escape(f"cannot change the callback keys in {path}")):
        rotate(path, AT, Failing(**fates))
    assert there(path) == old
    assert {p.name for p in path.parent.iterdir()} == {"keys.json", ".keys.json.lock"}
    assert len(rotate(path, AT, Failing(write=["short"])).live) == 2


def test_a_change_is_durable(path: Path) -> None:
    """The file is synced before it takes its place, the folder after."""
    rotate(path, AT)
    disk = Failing()
    rotate(path, AT, disk)
    assert [call for call in disk.calls if call in ("sync", "settle")][-2:] == ["sync", "settle"]


@pytest.mark.parametrize("text", ["", '{"keys": []}', '{"keys": [{"kid": "k1", "secret": "00"}]}'])
def test_unusable_keys_are_not_replaced(path: Path, text: str) -> None:
    """A key file that holds no usable key is left to be restored."""
    path.parent.mkdir()
    path.touch(0o600)
    path.write_text(text)
    with pytest.raises(UsageError, match="restore it from a copy"):
        rotate(path, AT)
    with pytest.raises(UsageError, match="restore it from a copy"):
        retire(path, Kid("k1"), AT)
    assert path.read_text() == text


def test_a_link_stays_a_link(path: Path, tmp_path: Path) -> None:
    """Where the key file is a link, as with mounted secrets, the file behind it is changed."""
    link = tmp_path / "link.json"
    rotate(path, AT)
    link.symlink_to(path)
    rotate(link, AT)
    assert link.is_symlink()
    assert len(there(path).live) == 2


def test_the_owner_stays(path: Path) -> None:
    """A file that root changes still belongs to the user whose receiver reads it."""
    rotate(path, AT)
    owner = (65534, 65534) if os.getuid() == 0 else (os.getuid(), os.getgid())
    os.chown(path, *owner)
    rotate(path, AT)
    assert (path.stat().st_uid, path.stat().st_gid) == owner


def test_a_change_that_does_not_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits in vain for another change is told so, and changes nothing."""
    old = rotate(path, AT)
    monkeypatch.setattr(rotation, "PATIENCE", 0.1)
    with FileLock(path.with_name(".keys.json.lock")), pytest.raises(BatchBusy, match="another process"):
        rotate(path, AT)
    assert there(path) == old


CHANGE = """
import sys
from pathlib import Path
from mwbatch.journal.keys.keys_json import load_or_make
from mwbatch.journal.keys.rotation import rotate
path, what = Path(sys.argv[1]), sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
for _ in range(10):
    print(rotate(path, 0.0).newest.kid if what == "rotate" else load_or_make(path).live[0].kid)
"""


def race(path: Path, *roles: str) -> list[list[str]]:
    """Let real processes change or make the keys at once; the kids that each of them saw."""
    pipe = subprocess.PIPE
    racers = [
        subprocess.Popen([sys.executable, "-c", CHANGE, str(path), role], text=True, stdin=pipe, stdout=pipe)
        for role in roles
    ]
    for racer in racers:
        assert racer.stdout
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin
        racer.stdin.write("go\n")
        racer.stdin.flush()
    return [racer.communicate()[0].split() for racer in racers]


def test_no_rotation_is_lost(path: Path) -> None:
    """Of processes that rotate at once, every key is there in the end, whatever readers do meanwhile."""
    load_or_make(path)
    *rotations, seen = race(path, "rotate", "rotate", "make")
    kids = [key.kid for key in there(path).live]
    assert sorted(kids[1:]) == sorted(kid for made in rotations for kid in made)
    assert set(seen) == {kids[0]}


def test_the_first_rotation_races_a_receiver(path: Path) -> None:
    """Where keys are made and rotated at once, no key that anybody was given is lost."""
    rotations, seen = race(path, "rotate", "make")
    kids = {key.kid for key in there(path).live}
    assert {*rotations, *seen} <= kids
    assert json.loads(path.read_text())["retired"] == []


def test_who_waits_for_the_keys_rests_meanwhile(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another process changes them, whoever waits leaves the processor to it."""
    rotate(path, AT)
    monkeypatch.setattr(rotation, "PATIENCE", 0.5)
    with FileLock(path.with_name(".keys.json.lock")):
        began = time.thread_time()
        with pytest.raises(BatchBusy):
            rotate(path, AT)
        assert time.thread_time() - began < 0.1
