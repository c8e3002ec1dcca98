"""Where a file of the home should stand stands something else: nothing hangs, nothing is read for ever,
nothing crashes.
"""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.support.stage import ROOT, Stage

THINGS: dict[str, Callable[[Path], None]] = {
    "a pipe": os.mkfifo,
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
}
PLACES = [
    "keys.json",
    "home.lock",
    ".keys.json.lock",
    ".written.jsonl",
    ".begun/{id}.jsonl",
    "m/batch.json",
    "m/lock",
    "m/lock.json",
    "m/digests.bin",
    "m/images.jsonl",
    "m/rows/x.jsonl",
    "m/journal/x.jsonl",
    "m/results/x.jsonl",
    "m/rejects/x.jsonl",
    "inbox/{id}/results/x.jsonl",
    "inbox/{id}/rejects/x.jsonl",
    "x",
]
COMMANDS = [
    ["status"],
    ["reconcile", "m", "--offline"],
    ["resume", "m", "--callback-url", "none", "--settle", "0"],
]


@pytest.mark.parametrize("thing", THINGS)
def test_what_is_no_file(thing: str, patient: Stage) -> None:
    """Every command ends, with a sentence where it needed the file,
    and takes no bug of ours for the reason.
    """
    stage = patient
    batch = stage.json("submit", stage.manifest(2), "--callback-url", "none")["batch_id"]
    whole = stage.folder / "whole"
    shutil.copytree(stage.home, whole)
    for place in PLACES:
        shutil.rmtree(stage.home)
        shutil.copytree(whole, stage.home)
        path = stage.home / place.format(id=batch)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        THINGS[thing](path)
        for command in COMMANDS:
            assert stage.run(*command).code != 70, f"{command} with {place}"


def test_the_files_of_a_home_are_opened_by_one_door() -> None:
    """No other room of the journal opens a file to read it by its path:
    only `disk` sees to what stands there.
    """
    for source in (ROOT / "mwbatch/journal").glob("*.py"):
        if source.name != "disk.py":
            assert not re.search(r'\.open\("r|read_(bytes|text)\(|\bopen\([^)]*"r', source.read_text()), (
                source
            )
