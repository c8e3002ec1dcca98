"""Whose signature counts, and which paths carry an address at all."""

import asyncio
import threading
from collections.abc import Hashable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from mwbatch.callbacks.storing.signers import Signers
from mwbatch.core.api.address import Address, Key, at_end, write
from mwbatch.core.codec.ids import Attempt, Kid, RowNumber
from mwbatch.core.codec.json_codec import encode
from mwbatch.errors import UsageError
from mwbatch.journal.home.home import Home
from mwbatch.journal.keys.key_file import KeyFile
from mwbatch.journal.keys.rotation import retire, rotate

OLD, NEW = Key(Kid("old"), b"o" * 32), Key(Kid("new"), b"n" * 32)
PATH = URL(write("https://example.com/hooks", OLD, "b1", RowNumber(7), Attempt(2))).raw_path


def keep(home: Home, *keys: Key) -> None:
    """Write a key file."""
    home.path.mkdir(mode=0o700, exist_ok=True)
    listed = [{"kid": key.kid, "secret": key.secret.hex()} for key in keys]
    Path(home.keys.where).touch(0o600)
    Path(home.keys.where).write_bytes(encode({"keys": listed}))


def path(key: Key) -> str:
    """The path of an address that a key signed."""
    return URL(write("https://example.com", key, "b1", RowNumber(7), Attempt(2))).raw_path


class Ring(Signers):
    """A keyring whose clock a test moves."""

    def __init__(self, home: Home) -> None:
        self.time = 100.0
        super().__init__(home, lambda: self.time)


@pytest.fixture
def ring(tmp_path: Path) -> Ring:
    """A keyring that knows the old key; the home is ``tmp_path / "home"``."""
    keep(Home(tmp_path / "home"), OLD)
    ring = Ring(Home(tmp_path / "home"))
    ring.open()
    return ring


@pytest.mark.parametrize("prefix", ["", "/hooks", "/a/b/c/d/e/f", "/%2F", "/v1/x/y/1-1/z", PATH])
def test_any_prefix(prefix: str) -> None:
    """An address is the last five segments of a path, whatever stands before."""
    assert at_end(prefix + path(OLD)) == Address(Kid("old"), "b1", RowNumber(7), Attempt(2), PATH[-32:])


@pytest.mark.parametrize(
    "wrong",
    [
        PATH + "//",
        PATH + "/x",
        PATH + "%00",
        PATH + "%0A",
        PATH + "0",
        PATH + ".json",
        PATH[:-1],
        PATH[:-1] + "%61",
        PATH.upper(),
        PATH.replace("/v1/", "/v2/"),
        PATH.replace("/v1/", "%2Fv1%2F"),
        PATH.replace("/7-2/", "%2F7-2/"),
        PATH.replace("/7-2/", "/07-2/"),
        PATH.replace("/7-2/", "/7-0/"),
        PATH.replace("/7-2/", "/7-02/"),
        PATH.replace("/7-2/", "/7%2D2/"),
        PATH.replace("/7-2/", "/-7-2/"),
        PATH.replace("/7-2/", "/\u0667-2/"),
        PATH.replace("/7-2/", "/7-2//"),
        PATH.replace("/b1/", "/../"),
        PATH.replace("/b1/", "/B1/"),
        PATH.replace("/b1/", f"/{'b' * 33}/"),
        "",
        "/",
        "*",
        "/////",
    ],
)
def test_every_byte_in_its_place(wrong: str) -> None:
    """What only resembles an address is none."""
    assert at_end(wrong) is None


@given(st.text(max_size=80))
def test_no_path_breaks_it(text: str) -> None:
    """Any text is an address or is none."""
    assert at_end(text) is None
    assert at_end(text.replace("\n", "") + path(OLD)) is not None


@pytest.mark.parametrize("at", range(len(path(OLD)) - 33 - len("/7-2"), len(path(OLD))))
async def test_a_changed_byte(ring: Ring, at: int) -> None:
    """An address with another row, attempt or mac than was signed is refused."""
    signed = path(OLD)
    for other in "0123456789abcdef":
        forged = signed[:at] + other + signed[at + 1 :]
        assert (await ring.signed(forged) is not None) == (forged == signed)


async def test_a_new_key_is_learned(tmp_path: Path, ring: Ring) -> None:
    """An address that names an unknown key makes the key file be read again."""
    keep(Home(tmp_path / "home"), OLD, NEW)
    ring.time += 1.0
    assert await ring.signed(path(NEW))


async def test_new_keys_are_told_of_once(
    tmp_path: Path, ring: Ring, caplog: pytest.LogCaptureFixture
) -> None:
    """The log names the keys when they are others than before, and says nothing of a reading without news."""
    caplog.set_level("INFO")
    await ring.look(reload=0)
    assert not caplog.records
    keep(Home(tmp_path / "home"), OLD, NEW)
    await ring.look(reload=0)
    await ring.look(reload=0)
    assert [record.getMessage() for record in caplog.records] == ["callback keys read again: old, new"]


async def test_strangers_cannot_make_it_read(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many unknown keys are named,
    the key file is read at most once a second while it does not change.
    """
    readings = list[float]()
    monkeypatch.setattr("mwbatch.journal.keys.key_file.load", lambda _: readings.append(ring.time))
    for _ in range(300):
        ring.time += 0.01
        assert await ring.signed(path(NEW)) is None
    assert 1 <= len(readings) <= 3


async def test_strangers_keep_no_new_key_out(tmp_path: Path, ring: Ring) -> None:
    """The first address that a new key signs is taken at once,
    also where unknown keys were named this moment.
    """
    for _ in range(3):
        ring.time += 1.0
        assert await ring.signed(path(NEW)) is None
    keep(Home(tmp_path / "home"), OLD, NEW)
    assert await ring.signed(path(NEW))


async def test_an_older_key_file_takes_nothing_away(
    tmp_path: Path, ring: Ring, caplog: pytest.LogCaptureFixture
) -> None:
    """A key that went without being retired, as where a copy was put back, verifies on: it is told, once,
    and so is its return.
    """
    home = Home(tmp_path / "home")
    new = rotate(Path(home.keys.where), 0.0).newest
    ring.time += 1.0
    assert await ring.signed(path(new))
    whole = Path(home.keys.where).read_bytes()
    for _ in range(3):
        keep(home, OLD)
        ring.time += 1.0
        assert await ring.signed(path(new))
        assert await ring.signed(path(OLD))
    assert [(record.levelname, new.kid in record.message) for record in caplog.records] == [("ERROR", True)]
    Path(home.keys.where).write_bytes(whole)
    ring.time += 1.0
    assert await ring.signed(path(new))
    assert len(caplog.records) == 2
    retire(Path(home.keys.where), Kid("old"), 0.0)
    ring.time += 1.0
    assert await ring.signed(path(OLD)) is None


@pytest.mark.parametrize(
    "text", [None, b"", b"{}", b'{"keys":[]}', b'{"keys":[{"kid":"old","secret":"00"}]}']
)
async def test_a_key_file_at_work(tmp_path: Path, ring: Ring, text: bytes | None) -> None:
    """Keys in use stay in use while their file is gone or broken, and none are made in their place."""
    home = Home(tmp_path / "home")
    Path(home.keys.where).unlink() if text is None else Path(home.keys.where).write_bytes(text)
    ring.time += 1.0
    assert await ring.signed(path(NEW)) is None
    assert await ring.signed(path(OLD))
    assert Path(home.keys.where).exists() == (text is not None)


async def test_a_retired_key_is_refused(tmp_path: Path, ring: Ring) -> None:
    """A receiver that runs refuses addresses of a key within a second of its end,
    and goes on with the others.
    """
    home = Home(tmp_path / "home")
    new = rotate(Path(home.keys.where), 0.0).newest
    retire(Path(home.keys.where), Kid("old"), 0.0)
    ring.time += 0.9
    assert await ring.signed(path(OLD))
    ring.time += 0.1
    assert await ring.signed(path(OLD)) is None
    assert await ring.signed(path(new))


async def test_the_disk_is_looked_at_once_a_second(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many callbacks come, the file is looked at once a second,
    and read only where it has changed.
    """
    looks, readings = list[float](), list[float]()

    def look(file: KeyFile) -> Hashable:
        looks.append(ring.time)
        return marked(file)

    marked = KeyFile.mark
    monkeypatch.setattr(KeyFile, "mark", look)
    monkeypatch.setattr(ring, "_reload", readings.append)
    for _ in range(300):
        ring.time += 0.01
        assert await ring.signed(path(OLD))
    assert len(looks) in (2, 3)
    assert not readings


async def test_the_loop_looks_at_no_disk(tmp_path: Path, ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    """Marks and keys are read in threads alone, whatever an address names and however the file changes."""
    loop, on_loop = threading.get_ident(), list[str]()

    def heard(name: str) -> None:
        real = getattr(KeyFile, name)

        def call(file: KeyFile) -> object:
            if threading.get_ident() == loop:
                on_loop.append(name)
            return real(file)

        monkeypatch.setattr(KeyFile, name, call)

    heard("mark")
    heard("load")
    keep(Home(tmp_path / "home"), OLD, NEW)
    for key in (OLD, NEW, Key(Kid("none"), b"x" * 32)):
        ring.time += 1.0
        await ring.signed(path(key))
    assert not on_loop


async def test_known_keys_wait_for_no_disk(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the disk takes its time over one look, what a known key signed is taken."""
    began, go = threading.Event(), threading.Event()
    marked = KeyFile.mark

    def slow(file: KeyFile) -> Hashable:
        began.set()
        go.wait()
        return marked(file)

    monkeypatch.setattr(KeyFile, "mark", slow)
    ring.time += 1.0
    first = asyncio.create_task(ring.signed(path(OLD)))
    await asyncio.to_thread(began.wait)
    assert await ring.signed(path(OLD))
    go.set()
    assert await first


@pytest.mark.parametrize("broken", ["gone", "cut", "open"])
async def test_trouble_is_logged_once(
    tmp_path: Path, ring: Ring, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    """A key file that is missing, broken or open to others keeps the keys in use and is logged once;
    mended, it counts.
    """
    home = Home(tmp_path / "home")
    if broken == "gone":
        Path(home.keys.where).unlink()
    elif broken == "cut":
        Path(home.keys.where).write_bytes(b'{"keys":[')
    else:
        Path(home.keys.where).chmod(0o644)
    for _ in range(5):
        ring.time += 1.0
        assert await ring.signed(path(OLD))
        assert await ring.signed(path(NEW)) is None
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    Path(home.keys.where).unlink(missing_ok=True)
    keep(home, OLD, NEW)
    ring.time += 1.0
    assert await ring.signed(path(NEW))


@pytest.mark.parametrize("secret", ["", "00" * 15])
def test_no_start_without_a_key(tmp_path: Path, secret: str) -> None:
    """An empty or short key refuses to start."""
    home = Home(tmp_path)
    Path(home.keys.where).touch(0o600)
    Path(home.keys.where).write_bytes(encode({"keys": [{"kid": "k1", "secret": secret}]}))
    with pytest.raises(UsageError):
        Signers(home).open()
