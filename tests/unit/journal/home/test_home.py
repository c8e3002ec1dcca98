"""The home: batches by name, id and manifest."""

import errno
import re
import shutil
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from mwbatch.core.codec.ids import Kid
from mwbatch.core.facts.lines import line
from mwbatch.errors import NameTaken, StoreError, UsageError
from mwbatch.journal.home.folder_record import FolderRecord
from mwbatch.journal.home.home import Home
from mwbatch.journal.interface.batch_info import BatchInfo
from mwbatch.journal.interface.batches import each, info_of
from mwbatch.journal.interface.belongings import RECORD
from mwbatch.journal.interface.naming import default_home, name_for, new_batch_id
from mwbatch.journal.interface.open_batch import read
from mwbatch.journal.interface.ref import Ref, UnusableBatch, usable
from mwbatch.journal.keys.home_keys import kept_keys, keys_of, signing_key
from tests.support.disks import Failing, Fate, unprivileged
from tests.support.facts import plan
from tests.support.records import rewrite

INFO = BatchInfo("logos", "b7", "https://api.test", "/manifests/logos.csv", "id", ())


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home that is not there yet."""
    return Home(tmp_path / "home")


def test_looking_creates_nothing(home: Home) -> None:
    """Reading an absent home finds no batch and makes no folder."""
    assert list(home.batches()) == []
    assert list(each(home, info_of)) == []
    with pytest.raises(UsageError, match="none yet"):
        home.find("logos")
    assert not home.path.exists()


@pytest.mark.parametrize("mode", [0o300, 0o000])
@pytest.mark.parametrize("closed", ["home", "home/logos"])
def test_what_cannot_be_read_is_not_empty(tmp_path: Path, closed: str, mode: int) -> None:
    """A home, or a batch, that is closed to us is an error:
    rows of a batch that is not seen would be paid again.
    """
    with unprivileged(tmp_path) as place:
        home = Home(place / "home")
        home.create(INFO)
        (place / closed).chmod(mode)
        if (closed, mode) == ("home/logos", 0o300):  # a folder that may be entered shows its info
            assert home.find("logos").info.batch_id == "b7"
            return
        if closed == "home/logos":
            [one] = home.batches()
            assert isinstance(one, UnusableBatch)
        else:
            with pytest.raises(StoreError, match="Permission denied"):
                list(home.batches())
        for look in (lambda: home.find("logos"), lambda: keys_of(home)):
            with pytest.raises(StoreError, match="Permission denied"):
                look()


def test_a_file_is_no_home(tmp_path: Path) -> None:
    """A file where the home should be is an error."""
    (tmp_path / "home").write_bytes(b"")
    with pytest.raises(StoreError, match="Not a directory"):
        list(Home(tmp_path / "home").batches())


def test_what_a_file_system_keeps_is_no_batch(tmp_path: Path) -> None:
    """A folder that is closed to us and whose name no batch can have stands in nobody's way."""
    with unprivileged(tmp_path) as place:
        home = Home(place)
        home.create(INFO)
        (place / "lost+found").mkdir(mode=0o000)
        assert [ref.info.name for ref in usable(home.batches())] == ["logos"]


def test_what_was_created_is_found(home: Home) -> None:
    """A batch is found by its name, by its id and by the path of its manifest."""
    ref = home.create(INFO)
    folder, info = Path(ref.where), ref.info
    assert home.find("logos") == home.find("/manifests/logos.csv") == ref
    assert list(each(home, info_of)) == [(ref, info)]
    assert (FolderRecord.read(folder).info, info) == (info, INFO)
    assert FolderRecord.read(folder).place == (folder.stat().st_dev, folder.stat().st_ino)
    assert stat.S_IMODE((folder / "batch.json").stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == ["batch.json"]


def test_a_folder_that_was_renamed_is_found(home: Home) -> None:
    """A batch keeps its name in a folder of another name, which finds it too:
    messages tell people the folder's.
    """
    ref = home.create(INFO)
    folder, info = Path(ref.where), ref.info
    renamed = folder.rename(home.path / "archived")
    assert home.find("logos") == home.find("archived") == Ref(str(renamed), "archived", info)


def test_a_relative_manifest_is_found(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A manifest's path means the same from any working directory."""
    home.create(replace(INFO, manifest=str(tmp_path / "logos.csv")))
    monkeypatch.chdir(tmp_path)
    assert home.find("logos.csv").info.name == "logos"


def test_a_name_goes_before_a_manifest(home: Home) -> None:
    """Where two batches were made from one manifest the path is not enough, and each name is."""
    home.create(INFO)
    home.create(replace(INFO, name="second", batch_id="b8"))
    with pytest.raises(UsageError, match="logos, second"):
        home.find("/manifests/logos.csv")
    assert home.find("second").info.batch_id == "b8"


@pytest.mark.parametrize("name", ["a\0b", "\udcff", "x" * 5_000, ""])
def test_any_word_may_be_asked_for(home: Home, name: str) -> None:
    """What can be no path, and no name either, is an unknown batch like any other."""
    home.create(INFO)
    with pytest.raises(UsageError, match="batches there: logos"):
        home.find(name)


def test_an_unknown_batch_names_those_that_are_there(home: Home) -> None:
    """The error lists the batches of the home and says which home it is."""
    home.create(INFO)
    with pytest.raises(UsageError, match=f"no batch other in {home.path}; batches there: logos"):
        home.find("other")


def test_a_manifest_that_was_never_submitted_is_told_from_a_misspelt_name(home: Home, tmp_path: Path) -> None:
    """Of a file that is there it is said how a batch is made from it."""
    home.create(INFO)
    file = tmp_path / "shelves.csv"
    file.touch()
    with pytest.raises(UsageError, match="no batch was made from this file yet: submit it first"):
        home.find(str(file))


def test_a_copied_folder_shows(home: Home) -> None:
    """The batch info of a copy names another place than the one where it lies."""
    folder = Path(home.create(INFO).where)
    copy = shutil.copytree(folder, home.path / "copy")
    assert FolderRecord.read(copy).place != (copy.stat().st_dev, copy.stat().st_ino)


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".hidden", "-x", "a/b", "a b", "inbox", "keys.json", "x" * 101, "a\n", "\u00e9"]
)
def test_a_name_that_is_no_folders_is_refused(home: Home, name: str) -> None:
    """A batch's name is one that any shell and any disk take as it is."""
    with pytest.raises(UsageError, match="cannot be named"):
        home.create(replace(INFO, name=name))
    assert not home.path.exists()


def test_a_name_is_taken_once(home: Home) -> None:
    """A second batch of the same name is refused, and the first one stands."""
    home.create(INFO)
    with pytest.raises(NameTaken, match="is the folder of batch logos"):
        home.create(replace(INFO, batch_id="b8"))
    assert home.find("logos").info.batch_id == "b7"


def test_of_two_that_race_for_a_name_one_gets_it(home: Home) -> None:
    """However many make a batch of one name at once, one of them does,
    and the others are told that it is there.
    """
    infos = [replace(INFO, batch_id=f"b{number}") for number in range(8)]
    together = threading.Barrier(len(infos))

    def make(info: BatchInfo) -> str | None:
        together.wait()
        with suppress(NameTaken):
            return home.create(info).info.batch_id
        return None

    with ThreadPoolExecutor(len(infos)) as pool:
        made = [batch_id for batch_id in pool.map(make, infos) if batch_id]
    assert made == [home.find("logos").info.batch_id]
    assert [path.name for path in (home.path / "logos").iterdir()] == ["batch.json"]


def test_a_folder_that_a_crash_left_blocks_no_name(home: Home) -> None:
    """Between a folder and its info a process may die: the next one makes the batch there."""
    (home.path / "logos" / "rows").mkdir(parents=True)
    (home.path / "logos" / ".batch.json.0123").write_bytes(b"{")
    assert home.find(home.create(INFO).info.name).info.batch_id == "b7"


def test_facts_without_batch_info_are_no_new_batch(home: Home) -> None:
    """A folder whose batch info is gone holds rows that were paid for: no batch is made there,
    and the way on is named.
    """
    folder = Path(home.create(INFO).where)
    (folder / "journal").mkdir()
    (folder / "journal" / "20240101T000000Z-submit-00000000.jsonl").write_bytes(b"")
    (folder / "batch.json").unlink()
    with pytest.raises(StoreError, match=r"batch\.json is gone.*put it back"):
        home.create(INFO)
    assert not (folder / "batch.json").exists()


def test_batch_info_is_rewritten_whole(home: Home) -> None:
    """A batch info that is written again holds the new words, and a disk that fails leaves the old ones."""
    ref = home.create(INFO)
    folder, info = Path(ref.where), ref.info
    assert rewrite(folder, replace(info, kids=(Kid("k1"),))) == FolderRecord.read(folder)
    fates: list[Fate] = ["short", errno.ENOSPC]
    with pytest.raises(StoreError, match="cannot write"):
        Home(home.path, disk=Failing(write=fates)).open(ref).keep(began="now")
    assert FolderRecord.read(folder).info.kids == ("k1",)
    assert [path.name for path in folder.iterdir()] == ["batch.json"]


def test_a_batch_that_cannot_be_made_may_be_tried_again(home: Home) -> None:
    """On a disk that fails no batch is there, and the next try makes it."""
    for fates in ({"settle": [errno.EIO]}, {"write": [errno.ENOSPC]}):
        with pytest.raises(StoreError):
            Home(home.path, disk=Failing(**fates)).create(INFO)
        assert list(home.batches()) == []
    home.create(INFO)
    assert len(list(home.batches())) == 1


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"format": 2}', '{"format": 1}', '{"format": 1, "kids": 5}']
)
def test_batch_info_that_is_not_understood_is_an_error(home: Home, text: str) -> None:
    """A batch info of another format, cut or foreign stops whoever reads it, with its path."""
    folder = Path(home.create(INFO).where)
    (folder / "batch.json").write_text(text)
    with pytest.raises(StoreError, match=str(folder / "batch.json")):
        home.find("logos")


def test_keys_are_not_made_anew_while_a_batch_needs_them(home: Home) -> None:
    """Once a batch names a kid, missing keys are refused; before that they are made."""
    ref = home.create(INFO)
    folder, info = Path(ref.where), ref.info
    keys = keys_of(home)
    rewrite(folder, replace(info, kids=(keys.newest.kid,)))
    assert keys_of(home) == keys
    Path(home.keys.where).unlink()
    with pytest.raises(UsageError, match="batch logos has addresses"):
        keys_of(home)
    assert not Path(home.keys.where).exists()


def test_looking_for_keys_makes_none(home: Home) -> None:
    """Whoever only wants to see the keys makes none, and no home."""
    assert kept_keys(home) is None
    assert not home.path.exists()
    assert keys_of(home) == kept_keys(home)


def test_a_key_is_durable_before_it_signs(home: Home) -> None:
    """The folder of the key file is synced before the newest key is handed out, whoever made the file."""
    key = keys_of(home).newest
    disk = Failing(settle=[errno.EACCES, errno.EIO])
    signing = Home(home.path, disk=disk)
    assert (signing_key(signing), disk.calls) == (key, ["settle"])
    with pytest.raises(StoreError, match="cannot sync"):
        signing_key(signing)


def test_a_key_file_elsewhere_is_used(home: Home, tmp_path: Path) -> None:
    """Keys that several hosts share stand where the user says."""
    shared = tmp_path / "shared" / "keys.json"
    assert keys_of(Home(home.path, shared)) == keys_of(Home(tmp_path / "other", shared))
    assert not (home.path / "keys.json").exists()


def test_the_inbox_is_no_batch(home: Home) -> None:
    """What waits in the inbox is not listed among the batches."""
    ((home.path / "inbox" / "b9") / "results").mkdir(parents=True)
    assert list(home.batches()) == []


@pytest.mark.parametrize(
    ("manifest", "name"),
    [
        ("/a/logos.csv", "logos"),
        ("logos.jsonl.gz", "logos"),
        ("Logos 2024 (final).CSV", "Logos-2024-final"),
        ("v1.2.ndjson", "v1.2"),
        ("logos", "logos"),
        (".csv", "batch"),
        ("\u00e9\u00e9.csv", "ee"),
        ("Gro\u00dfe L\u00e4den.csv", "Grosse-Laeden"),
        ("Gro\u00dfe La\u0308den.csv", "Grosse-Laeden"),
        ("\u00c9t\u00e9 2026.csv", "Ete-2026"),
        ("\u00c6r\u00f8 \u0141\u00f3d\u017a.csv", "Aero-Lodz"),
        ("\uff21\uff22.csv", "AB"),
        ("emoji\U0001f600.csv", "emoji"),
        ("\u6807\u5fd7.csv", "batch-5ad58a"),
        ("\u5e97\u82172.csv", "2-9c8565"),
        ("\u5e97\u82173.csv", "3-1392d8"),
        ("x" * 95 + "\u5e97.csv", "x" * 90 + "-089a1e"),
        ("x" * 300 + ".csv", "x" * 100),
    ],
)
def test_a_batch_is_named_after_its_manifest(manifest: str, name: str) -> None:
    """The name is the file's, without its endings and what a folder's name should not hold;
    else one of its own.
    """
    assert name_for(manifest) == name


@pytest.mark.parametrize(
    "manifest",
    [
        "inbox.csv",
        "INBOX.csv",
        "CON.csv",
        "nul.txt.csv",
        "com1.csv",
        "keys.json",
        "_x.csv",
        "...csv",
        "-.csv",
        "a" * 99 + "-b.csv",
    ],
)
def test_a_name_from_a_manifest_can_always_be_made(home: Home, manifest: str) -> None:
    """Whatever a manifest is called, the name that comes of it is taken by create."""
    assert home.create(replace(INFO, name=name_for(manifest))).name


def test_batch_ids_fit_an_address() -> None:
    """A batch id has ten lower-case letters and digits, and no two are alike."""
    ids = {new_batch_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(len(each) == 10 and each.isalnum() and each == each.lower() for each in ids)


def test_the_default_home_is_not_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the working directory, the default home is the same."""
    before = default_home()
    monkeypatch.chdir(tmp_path)
    assert default_home() == before
    assert before.is_absolute()


def test_an_old_name_stays(home: Home) -> None:
    """A batch that has a name which no new one may have is found, read and written as ever."""
    ref = home.create(replace(INFO, name="logos"))
    folder, info = Path(ref.where), ref.info
    folder.rename(folder.with_name("CON"))
    old = rewrite(home.path / "CON", replace(info, name="CON"))
    assert home.find("CON") == Ref(str(home.path / "CON"), "CON", old.info)
    for name in ("con", "NUL", "aux.csv"):
        with pytest.raises(UsageError, match="choose"):
            home.create(replace(INFO, name=name))


def test_a_manifest_of_several_batches_names_none(home: Home) -> None:
    """Where several batches were made from a manifest its path is no name: the error has theirs."""
    home.create(INFO)
    home.create(replace(INFO, name="again", batch_id="b8"))
    with pytest.raises(UsageError, match=r"several batches .*: (logos, again|again, logos); name the one"):
        home.find(INFO.manifest)


def test_lost_rows_stop_who_needs_them_all(home: Home) -> None:
    """Whoever looks is told what is left of damaged rows; whoever compares with all hears what is lost."""
    home.create(INFO)
    opened = read(home, home.find("logos"))
    rows = Path(opened.where) / "rows"
    rows.mkdir(exist_ok=True)
    (rows / "1-test.jsonl").write_bytes(line(plan(0)) + b"damaged\n" + line(plan(1)))
    assert sum(map(len, opened.own.asked())) == 2 * RECORD.size
    with pytest.raises(StoreError, match="batch logos has lost rows"):
        list(opened.own.asked(whole=True))


@pytest.mark.parametrize(
    ("harm", "why"),
    [("{", "not JSON: .*"), ("[]", ".+"), ("{}", ".+"), (None, "Too many levels of symbolic links")],
)
def test_why_a_batch_cannot_be_read(home: Home, harm: str | None, why: str) -> None:
    """It is said in words, the system's where it was the system, and no number of an error."""
    record = Path(home.create(INFO).where) / "batch.json"
    record.unlink()
    if harm is None:
        record.symlink_to(record)
    else:
        record.write_text(harm)
    with pytest.raises(StoreError) as raised:
        home.find("logos")
    said = str(raised.value)
    assert re.search(f"logos.* {why}$", said)
    assert not said.endswith("None")
    assert "Errno" not in said
