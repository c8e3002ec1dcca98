"""Batches that were moved: out of a home that they have sent from, or into one with other callback keys."""

import logging
import shlex
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from mwbatch.callbacks.storing.signers import Signers
from mwbatch.commands.context.context import Context
from mwbatch.commands.verbs.audit import audit
from mwbatch.commands.verbs.cancel import cancel
from mwbatch.commands.verbs.keys import rotated
from mwbatch.commands.verbs.reconcile import reconcile
from mwbatch.commands.verbs.rehearse import rehearse
from mwbatch.commands.verbs.submit import resume, submit
from mwbatch.journal.home.home import Home
from mwbatch.journal.keys.home_keys import keys_of
from tests.support.virtual import virtual
from tests.unit.commands.conftest import ORIGIN, Stage, silent


def warned(context: Context, words: str) -> list[str]:
    """The warnings that hold these words."""
    return [note for note in context.tally.notes if note.startswith("warning: ") and words in note]


def paste(command: str) -> None:
    """Run a command as it is printed."""
    subprocess.run(shlex.split(command), check=True)


@pytest.mark.files
@virtual
async def test_a_batch_that_is_gone(stage: Stage) -> None:
    """Where a batch has sent from the home and its folder is gone, whoever compares is told,
    until he says that it may be.
    """
    await submit(stage.home, stage.client, stage.manifest(1), silent(), stage.context)
    ref = stage.home.find("logos")
    folder, info = Path(ref.where), ref.info
    shutil.move(folder, stage.folder / "elsewhere")
    other = replace(stage.manifest(2, name="other.csv"), batch="other")
    context = stage.new_context()
    await submit(stage.home, stage.client, other, silent(), context)
    [told] = set(warned(context, "folder is gone"))
    assert f"batch {info.batch_id} cannot be compared" in told
    for looks in (
        lambda context: rehearse(stage.home, ORIGIN, other, silent(), context),
        lambda context: audit(stage.home, context),
    ):
        context = stage.new_context()
        await looks(context)
        assert warned(context, "folder is gone") == [told]
    paste(told.partition("this ends the warning: ")[2])
    await resume(stage.home, stage.client, "other", silent(), context := stage.new_context())
    assert not warned(context, "")


@pytest.mark.files
@virtual
async def test_nothing_is_gone(stage: Stage) -> None:
    """A folder under another name, a batch that sent nothing,
    and one that cannot be read are no reason to warn.
    """
    await submit(stage.home, stage.client, stage.manifest(1), silent(), stage.context)
    folder = Path(stage.home.find("logos").where)
    folder.rename(folder.with_name("renamed"))
    other = replace(stage.manifest(2, name="other.csv"), batch="other")
    await rehearse(stage.home, ORIGIN, other, silent(), context := stage.new_context())
    (folder.with_name("renamed") / "batch.json").write_text("rubbish")
    await audit(stage.home, context)
    assert not warned(context, "gone")


def moved(stage: Stage) -> Home:
    """Another home, with keys of its own, into which the batch is moved."""
    home = Home(stage.folder / "other")
    keys_of(home)
    shutil.move(stage.path / "logos", home.path / "logos")
    return home


@pytest.mark.files
@virtual
async def test_a_batch_with_keys_of_another_home(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """Each run, and the receiver, says that callbacks of the batch are refused, and which option mends it."""
    await submit(stage.home, stage.client, stage.manifest(1), silent(), stage.context)
    old, (kid,) = Path(stage.home.keys.where), keys_of(stage.home).kids
    home = moved(stage)
    for act in (
        lambda context: resume(home, stage.client, "logos", silent(), context),
        lambda context: reconcile(home, stage.client, "logos", context),
        lambda context: cancel(home, stage.client, "logos", (), context),
    ):
        context = stage.new_context()
        await act(context)
        [told] = warned(context, "addresses signed with callback key")
        assert f"key {kid}, which {Path(home.keys.where)} does not have" in told
    with caplog.at_level(logging.WARNING):
        Signers(home).open()
    assert told.removeprefix("warning: ") in caplog.text
    await reconcile(Home(home.path, old), stage.client, "logos", context := stage.new_context())
    assert not warned(context, "callback key")


@virtual
async def test_a_key_that_was_rotated(stage: Stage) -> None:
    """An older key of the same home, retired or not, is no strange one."""
    await submit(stage.home, stage.client, stage.manifest(1), silent(), stage.context)
    rotated(stage.home, stage.context)
    await reconcile(stage.home, stage.client, "logos", context := stage.new_context())
    assert not warned(context, "callback key")
