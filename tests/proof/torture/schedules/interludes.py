"""The interludes: what befalls key, address or folder of a batch between two runs."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mwbatch.core.facts.kinds import Fact, Started, Withdrawn
from mwbatch.core.facts.lines import BadLine, parse
from mwbatch.core.state.row_status import Status
from mwbatch.errors import BatchBusy, OtherApi, UsageError
from mwbatch.journal.home.batch_lock import BatchLock
from mwbatch.journal.home.folder_record import FolderRecord
from mwbatch.journal.home.home import Home
from mwbatch.journal.interface.ref import Ref
from tests.proof.torture.schedules.manifest import write_manifest
from tests.proof.torture.schedules.steady import write_keys

if TYPE_CHECKING:
    from tests.proof.torture.story import Run, Story

Interlude = Callable[["Story"], Awaitable[None]]
OTHER_KEY = "other_key"
SHOWN: Final = "what the first page of the listing shows is not sent from another home"
ALONE: Final = "one run at a time acts on a batch, whoever removes its lock"


async def nothing(_: "Story") -> None:
    """Nothing happens."""


async def other_key(story: "Story") -> None:
    """Somebody goes on with the key of another account."""
    await story.run("resume" if story.planned else "submit", key=OTHER_KEY)


async def other_url(story: "Story") -> None:
    """Somebody goes on against another API: refused, nothing is sent."""
    if story.begun:
        sent = len(story.network.sent)
        run = await story.run("submit", origin="https://elsewhere.example.com")
        if not isinstance(run.error, OtherApi) or len(story.network.sent) > sent:
            story.breaks("a batch is sent to the API that it was begun with, and to no other")


async def keys_gone(story: "Story") -> None:
    """The callback keys are lost and found again: nothing is sent meanwhile, and no key is made."""
    keys, aside = story.path / "keys.json", story.path / "keys.aside"
    if story.begun and FolderRecord.read(story.folder).info.kids:
        await story.receiver.stop()
        keys.rename(aside)
        sent = len(story.network.sent)
        run = await story.run("submit")
        if not isinstance(run.error, UsageError) or len(story.network.sent) > sent or keys.exists():
            story.breaks("nothing is signed with new keys while a batch names others")
        aside.rename(keys)


async def restored(story: "Story") -> None:
    """The folder is replaced by a copy from a while ago."""
    if not story.begun:
        return
    await story.receiver.stop()
    copy, gone = story.copy, story.path.parent / "gone"
    if not copy.exists():
        shutil.copytree(story.folder, copy)
    story.folder.rename(gone)
    copy.rename(story.folder)


async def segments_gone(story: "Story") -> None:
    """The journal's segments are gone, or one of them."""
    if not story.begun:
        return
    await story.receiver.stop()
    there = sorted((story.folder / "journal").glob("*.jsonl"))
    one = there and story.draw.chance(0.5, "one segment")
    for path in [story.draw.one_of(there, "segment")] if one else there:
        path.unlink()


async def put_back(story: "Story") -> None:
    """The folder gets the files of a while ago, and stays the same folder."""
    if not story.begun or not story.copy.exists():
        return
    await story.receiver.stop()
    for path in sorted(story.folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    shutil.copytree(story.copy, story.folder, dirs_exist_ok=True)


async def results_removed(story: "Story") -> None:
    """Somebody clears the results away under a running receiver."""
    for path in (story.folder / "results").glob("*.jsonl"):
        path.unlink()


async def intruded(story: "Story", first: "asyncio.Task[Run]") -> None:
    """Somebody removes the lock while the first run is at work, and starts a second one:
    refused as long as that works.
    """
    there = story.draw.whole(1, story.rows, "intrusion")
    # virtual
    while not first.done() and sum(sent.creates for sent in story.network.log) < there:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    (story.folder / "lock").unlink(missing_ok=True)
    if any(sent.creates and not sent.answer.done() for sent in story.network.log):
        with suppress(BatchBusy), BatchLock(story.folder, "intruder"):
            story.breaks(ALONE)
    await story.run("submit")


async def resigned(story: "Story") -> None:
    """The manifest is written again, with fresh signatures."""
    if story.begun:
        write_manifest(story.manifest, story.rows, story.draw, edition=2)


async def copied(story: "Story") -> None:
    """Somebody submits a copy of the manifest, under another name and with other signatures."""
    copy = story.manifest.with_name("again.jsonl")
    write_manifest(copy, story.rows, story.draw, edition=3)
    await _unsent(story, copy)


async def mended(story: "Story") -> None:
    """Somebody submits a list of invalid rows, which holds rows that were sent."""
    lines = story.manifest.read_bytes().splitlines(keepends=True)
    path = story.manifest.with_name("rows.invalid.jsonl")
    path.write_bytes(b"".join(lines[: story.draw.whole(1, len(lines), "mended")]))
    if story.planned:
        await story.run("submit", manifest=path)


async def linked(story: "Story") -> None:
    """Somebody submits a link to the manifest: it is the same manifest."""
    if not story.begun:
        return
    link = story.manifest.with_name("link.jsonl")
    link.symlink_to(story.manifest)
    await story.run("submit", manifest=link)


async def other_home(story: "Story") -> None:
    """Somebody submits the same manifest from another home, to the same account."""
    await asyncio.sleep(story.draw.one_of((0.0, 100.0), "to the other home"))
    if not story.shown_now():
        return
    home = story.path.with_name("other-home")
    home.mkdir(mode=0o700)
    write_keys(home / "keys.json")
    sent = len(story.network.sent)
    await story.run("submit", home=home)
    if len(story.network.sent) > sent:
        story.breaks(SHOWN)


async def _unsent(story: "Story", manifest: Path) -> None:
    """Submit a manifest whose rows are all planned in another batch of the home: nothing is sent."""
    if not story.planned:
        return
    sent = len(story.network.sent)
    run = await story.run("submit", manifest=manifest)
    if not isinstance(run.error, UsageError) or len(story.network.sent) > sent:
        story.breaks(f"the same rows under another name are refused: {run.error!r}")


async def damaged(story: "Story") -> None:
    """A byte of a ``started`` is flipped that has good lines behind it."""
    for path in sorted((story.folder / "journal").glob("*.jsonl")):
        lines = path.read_bytes().splitlines(keepends=True)
        started = [n for n, line in enumerate(lines[:-1]) if isinstance(_fact(line), Started)]
        if started:
            number = story.draw.one_of(started, "damaged")
            line = bytearray(lines[number])
            line[story.draw.whole(0, len(line) - 2, "byte")] ^= 1
            lines[number] = bytes(line)
            path.write_bytes(b"".join(lines))
            return


async def canceled(story: "Story") -> None:
    """The user gives up rows in doubt, and cancels some pending tasks at the API itself."""
    if not story.begun:
        return
    home = Home(story.path)
    async with home.act(
        Ref(str(story.folder), story.folder.name, FolderRecord.read(story.folder).info), "cancel"
    ) as batch:
        await batch.record(
            [
                Withdrawn(0.0, number, batch.state.rows[number].fresh_attempt)
                for number in batch.state.numbered(Status.DOUBT)
            ]
        )
        tasks = [task for row in batch.state.rows.values() for task in row.tasks]
    world = story.network.account(story.key).world
    for task in sorted(tasks):
        if (
            story.draw.chance(0.3, "cancel", task)
            and world.get(task, story.network.now()).status == "pending"
        ):
            world.cancel(task, story.network.now())


def _fact(line: bytes) -> Fact | None:
    try:
        return parse(line.removesuffix(b"\n"))
    except BadLine:
        return None
