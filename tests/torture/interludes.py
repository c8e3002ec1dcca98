"""The interludes: what befalls key, address or folder of a batch between two runs."""

import shutil
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from mwbatch.core.facts import BadLine, Fact, Started, Withdrawn, parse
from mwbatch.core.fold import Status
from mwbatch.errors import OtherApi, UsageError
from mwbatch.journal.home import Card, Home
from mwbatch.journal.opened import act

if TYPE_CHECKING:
    from tests.torture.story import Story

Interlude = Callable[["Story"], Awaitable[None]]
OTHER_KEY = "other_key"


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
    if story.begun and Card.read(story.folder).kids:
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
    async with act(home, story.folder, Card.read(story.folder), "cancel") as batch:
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
