"""Refusals of rows that were asked for before: numbers, an example, and commands that lead on."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from mwbatch.commands.context.context import Context
from mwbatch.commands.manifest.planning import ManifestSource, examine
from mwbatch.core.spending.overlaps import Overlap, Overlaps
from mwbatch.core.words.hint import typed
from mwbatch.core.words.plural import counted, rows
from mwbatch.core.words.values import SINCE
from mwbatch.errors import NOTHING_SENT, Asked, AskedBefore, StoreError, UsageError
from mwbatch.journal.files.closing import in_thread
from mwbatch.journal.interface.open_batch import look
from mwbatch.journal.interface.ref import Ref, UnusableBatch, usable
from mwbatch.journal.interface.store import Store
from mwbatch.journal.opening import other_owner

Way = tuple[str, str]
"""A command, and what it does."""

_FLAGS: Final = re.compile(r"-[nqvy]+").fullmatch
"""Flags of one letter, of which -n stands for --dry-run."""


def same_command(context: Context, *more: str) -> str:
    """What the user typed, with other options added; these alone where nobody typed anything.

    MUST be what goes on: where somebody only looked (`validate`, a dry run), it is the command that does it.
    """
    given = list(context.command)
    end = (
        given.index("--") if "--" in given else len(given)
    )  # what is behind it is no option, whatever it looks like
    words = list(_acting(given[:end]))
    for option in ("--batch", "--only-new"):
        if option in more:
            words = list(_without(words, option))
    return typed(*words, *more, *given[end:])


def _acting(words: Sequence[str]) -> Iterator[str]:
    """The words of the command that does what was typed, where that only looks."""
    for place, word in enumerate(words):
        if place == 1 and word == "validate":
            yield "submit"
        elif _FLAGS(word):
            yield from [word.replace("n", "")] * (word != "-n")
        elif word not in ("--dry-run", "--check-images"):
            yield word


def _without(words: list[str], option: str) -> Iterator[str]:
    """The words without an option, and without its value where that stands behind it."""
    passing = False
    for word in words:
        if passing:
            passing = False
        elif word == option:
            passing = option == "--batch"
        elif not word.startswith(f"{option}="):
            yield word


def unreadable(batch: Ref | UnusableBatch, why: StoreError, context: Context) -> StoreError:
    """Nobody can tell what a batch asked for that cannot be read."""
    mend = f"put {batch.where} back from a copy"
    if isinstance(why.__cause__, PermissionError):  # it is all there, for somebody else
        owner = other_owner(Path(batch.where))
        mend = f"have {owner or 'its owner'} make all of {batch.where} yours to read and write"
    return StoreError(
        f"{why}; nothing was sent, since batch {batch.name} may have asked for the same: {mend}, or go "
        "on, and perhaps pay for some of its rows again: "
        f"{same_command(context, '--again', batch.name)}"
    )


def refused(
    overlaps: Overlaps, examples: list[str], ways: list[Way], looked_at: int | None = None
) -> AskedBefore:
    """The refusal in words and in numbers.

    ``looked_at``: so many tasks of the account were looked at, and it has more.
    """
    told = [
        f"{one.text()}; for example {example}" for one, example in zip(overlaps.there, examples, strict=True)
    ]
    were = "was" if overlaps.rows == 1 else "were"
    wide = max(len(command) for command, _ in ways)
    lines = [
        f"{overlaps.rows:,} of {rows(overlaps.of)} to be sent {were} asked for before{NOTHING_SENT}",
        *(f"  {line}" for line in told),
        *([] if looked_at is None else [_in_part(looked_at)]),
        "go on with one of these:",
        *(f"  {command:{wide}}  # {why}" for command, why in ways),
    ]
    asked: Asked = {
        "rows": overlaps.rows,
        "of": overlaps.of,
        "batches": [
            {**one.json(), "example": example} for one, example in zip(overlaps.there, examples, strict=True)
        ],
        "ways": [command for command, _ in ways],
    }
    return AskedBefore("\n".join(lines), asked)


def _in_part(looked_at: int) -> str:
    """That more may have been asked for before than is told."""
    return (
        f"only the newest {counted(looked_at, 'task')} of the account were looked at, so there may be more: "
        f"--only-new looks through those of the last {SINCE}, --against-api as far back as --since says"
    )


async def ways_on(
    store: Store, source: ManifestSource | None, overlaps: Overlaps, context: Context, ours: str = ""
) -> list[Way]:
    """Each runs as it stands, and the first of them pay for nothing twice.

    ``ours`` is the id of our own batch.
    """
    ways: list[Way] = []
    here = [one for one in overlaps.there if one.batch and one.batch_id != ours]
    if source is not None and here:
        most = max(here, key=lambda one: one.rows)
        alone: list[tuple[str, ...]] = [()] * (len(overlaps.there) == 1)
        for more in (*alone, ("--only-new",)):
            if await _fits(store, replace(source, only_new=bool(more)), most):
                ways.append(
                    (
                        same_command(context, "--batch", most.batch, *more),
                        f"add to batch {most.batch} what it does not have",
                    )
                )
                break
    again = [word for one in overlaps.there for word in ("--again", one.again)]
    ways.append((same_command(context, "--only-new"), "leave these rows out"))
    ways.append((same_command(context, *again), "pay for them again"))
    return ways


async def _fits(store: Store, source: ManifestSource, other: Overlap) -> bool:
    """Whether the rows of a manifest may be added to a batch that asked for some of them."""
    for ref in await in_thread(lambda: [*usable(store.batches())]):
        if ref.info.batch_id == other.batch_id:
            try:
                await examine(replace(source, batch=ref.info.name), await look(store, ref), Context())
            except UsageError:
                return False
            return True
    return False
