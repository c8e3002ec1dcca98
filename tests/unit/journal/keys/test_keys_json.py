"""The callback keys of a home."""

import errno
import json
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mwbatch.core.api.address import Key, find, write
from mwbatch.core.codec.ids import Attempt, Kid, RowNumber
from mwbatch.errors import StoreError, UsageError
from mwbatch.journal.home.home import Home
from mwbatch.journal.keys.home_keys import signing_key
from mwbatch.journal.keys.keyring import Keys
from mwbatch.journal.keys.keys_json import load, load_or_make
from tests.support.disks import Failing, Fate

SECRET = "00" * 32


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the keys of a home that is not there yet would be."""
    return tmp_path / "home" / "keys.json"


def put(path: Path, text: str, mode: int = 0o600) -> None:
    """Put a key file in place by hand."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def test_keys_are_made_once(path: Path) -> None:
    """The first call makes the keys, every other one reads them; nobody else can."""
    assert load(path) is None
    keys = load_or_make(path, clock=lambda: 1_700_000_000.0)
    assert load_or_make(path) == load(path) == keys
    assert (len(keys.newest.secret), keys.newest.made_at) == (32, "2023-11-14T22:13:20.000Z")
    assert [p.name for p in path.parent.iterdir()] == ["keys.json"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


MAKE = """
import sys
from pathlib import Path
from mwbatch.journal.keys.keys_json import load_or_make
print("ready", flush=True)
sys.stdin.readline()
print(load_or_make(Path(sys.argv[1])).newest.secret.hex())
"""


def test_processes_that_race_get_the_same_keys(path: Path) -> None:
    """Of processes that make the keys at once, all get those of the first."""
    command = [sys.executable, "-c", MAKE, str(path)]
    pipe = subprocess.PIPE
    racers = [subprocess.Popen(command, text=True, stdin=pipe, stdout=pipe) for _ in range(3)]
    for racer in racers:
        assert racer.stdout
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin
        racer.stdin.write("go\n")
        racer.stdin.flush()
    assert len({racer.communicate()[0] for racer in racers}) == 1
    assert [p.name for p in path.parent.iterdir()] == ["keys.json"]


def test_threads_that_race_get_the_same_keys(path: Path) -> None:
    """However close the race, there is one set of keys."""
    start = threading.Barrier(4)

    def make(turn: int) -> Keys:
        start.wait(5)
        return load_or_make(path.with_name(f"keys-{turn}.json"))

    with ThreadPoolExecutor(4) as pool:
        for turn in range(20):
            assert len({keys.live for keys in pool.map(make, [turn] * 4)}) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620, 0o601])
def test_keys_that_others_can_read_are_refused(path: Path, mode: int) -> None:
    """A key file that is open to group or others is refused, with the command that closes it."""
    load_or_make(path)
    path.chmod(mode)
    with pytest.raises(UsageError, match=f"chmod 600 {path}"):
        load(path)


def test_a_key_file_with_a_byte_order_mark(path: Path) -> None:
    """A mark that an editor puts before the text is no part of the keys; another coding is told."""
    put(path, '\ufeff{"keys": [{"kid": "k1", "secret": "' + SECRET + '"}]}')
    keys = load(path)
    assert keys is not None
    assert keys.live[0].kid == "k1"
    path.write_bytes("{}".encode("utf-16"))
    with pytest.raises(UsageError, match="iconv -f UTF-16"):
        load(path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '{"keys": []}',
        '{"keys": {}}',
        '{"keys": "k1"}',
        '{"keys": [{}]}',
        '{"keys": [{"kid": "k1", "secret": ""}]}',
        '{"keys": [{"kid": "k1", "secret": "0011"}]}',
        '{"keys": [{"kid": "k1", "secret": "' + "00" * 65 + '"}]}',
        '{"keys": [{"kid": "k1", "secret": "not hex"}]}',
        '{"keys": [{"kid": "k1", "secret": 7}]}',
        '{"keys": [{"kid": 1, "secret": "' + SECRET + '"}]}',
        '{"keys": [{"kid": "prod_key", "secret": "' + SECRET + '"}]}',
        '{"keys": [{"kid": "k1", "secret": "' + SECRET + '"}, {"kid": "k2"}]}',
        '{"keys": [{"kid": "k1", "sec',
        '{"keys": [{"kid": "k1", "secret": "' + SECRET + '"}, {"kid": "k1", "secret": "' + SECRET + '"}]}',
        '{"keys": [{"kid": "k1", "secret": "' + SECRET + '"}], "retired": [{"kid": "k1"}]}',
        '{"keys": [{"kid": "k1", "secret": "' + SECRET + '"}], "retired": [{}]}',
        '{"keys": [], "retired": [{"kid": "k1"}]}',
        SECRET,
    ],
)
def test_unusable_keys_are_refused(path: Path, text: str) -> None:
    """An empty, cut, short or foreign key file is refused and never replaced."""
    put(path, text)
    with pytest.raises(UsageError, match="restore it from a copy") as raised:
        load_or_make(path)
    assert SECRET not in str(raised.value)
    assert path.read_text() == text


def test_all_live_keys_verify_and_the_newest_signs(path: Path) -> None:
    """Addresses of each live key are good, those of any other are not; the last key is the newest."""
    one, two = (Key(Kid(kid), bytes([n]) * 32) for n, kid in enumerate(("k1", "k2")))
    put(path, json.dumps({"keys": [{"kid": key.kid, "secret": key.secret.hex()} for key in (one, two)]}))
    keys = load(path)
    assert keys
    assert keys.newest == two
    for key, good in [
        (one, True),
        (two, True),
        (Key(Kid("k3"), one.secret), False),
        (Key(Kid("k1"), two.secret), False),
    ]:
        address = find(write("https://calls.test", key, "b7", RowNumber(1), Attempt(1)))
        assert address
        assert keys.verify(address) is good


def test_keys_that_cannot_be_read_are_an_error(path: Path) -> None:
    """What cannot be read is never taken for missing: new keys would refuse paid answers."""
    path.mkdir(parents=True)
    with pytest.raises(StoreError, match="cannot read"):
        load_or_make(path)


@pytest.mark.parametrize(
    "fates",
    [
        {"create": [errno.ENOSPC]},
        {"write": ["short", errno.ENOSPC]},
        {"sync": [errno.EIO]},
        {"settle": [errno.EIO]},
    ],
)
def test_keys_are_made_whole_or_not_at_all(path: Path, fates: dict[str, list[Fate]]) -> None:
    """On a disk that fails no key file and no scrap of one is left, and the next call makes it."""
    with pytest.raises(StoreError, match="cannot make"):
        load_or_make(path, Failing(**fates))
    assert list(path.parent.glob("*")) == []
    assert load_or_make(path, Failing(write=["short", "short"])) == load(path)


def test_a_link_that_leads_nowhere(path: Path) -> None:
    """Where a dangling link stands in the place of the keys, it is named and stays."""
    path.parent.mkdir(exist_ok=True)
    path.symlink_to("nowhere")
    with pytest.raises(StoreError, match="leads nowhere"):
        load_or_make(path)
    assert path.is_symlink()


class Watched(Failing):
    """Keeps, of each sync of a folder, which names had been synced as files,
    and whether the keys were in their place.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path, self.whole = path, False
        self.in_place: list[bool] = []

    def sync(self, file: int) -> None:
        """Sync a file, which is whole by then."""
        super().sync(file)
        self.whole = load_text(Path(f"/dev/fd/{file}").resolve())

    def sync_folder(self, folder: Path) -> None:
        """Sync a folder."""
        super().sync_folder(folder)
        self.in_place.append(folder == self.path.parent and self.path.exists())


def load_text(path: Path) -> bool:
    """Whether a file holds keys."""
    return load(path) is not None


def test_keys_survive_a_power_cut_before_they_sign(path: Path) -> None:
    """Whoever gets keys gets them after their bytes and, last, their name are on the disk:
    an address outlives them not.
    """
    disk = Watched(path)
    made = load_or_make(path, disk)
    assert (disk.whole, disk.in_place[-1]) == (True, True)
    path.rename(path.with_suffix(".late"))  # another process links its file first, between look and link

    class Late(Watched):
        def sync(self, file: int) -> None:
            super().sync(file)
            self.path.with_suffix(".late").rename(self.path)

    late = Late(path)
    assert load_or_make(path, late) == made
    assert late.in_place[-1]


def test_no_address_is_signed_with_a_key_that_may_be_lost(path: Path) -> None:
    """A key that another process has put in place is synced with its
    folder before it is handed out to sign.
    """
    load_or_make(path)
    disk = Watched(path)
    assert signing_key(Home(path.parent, disk=disk)) == load_or_make(path).newest
    assert disk.in_place == [True]
