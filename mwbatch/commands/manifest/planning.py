"""From a manifest to planned rows: which batch it belongs to,
and which of its rows that batch does not have yet.
"""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

from mwbatch.commands.context.clocks import AskClock, of_this_machine
from mwbatch.commands.context.context import Context
from mwbatch.commands.manifest.manifest_survey import ManifestSurvey, survey
from mwbatch.commands.manifest.manifests import Manifest, blocks, is_pipe, misfit, name_of, size_of
from mwbatch.core.facts.kinds import Planned
from mwbatch.core.manifest.column_names import meant
from mwbatch.core.manifest.row_identity import Identity
from mwbatch.core.report.progress import Tally
from mwbatch.core.spending.scrutiny import Leave, Scrutiny
from mwbatch.core.words.plural import counted
from mwbatch.errors import ManifestError, UsageError
from mwbatch.journal.files.closing import in_thread
from mwbatch.journal.files.replacing import scratch
from mwbatch.journal.interface.batch_info import BatchInfo
from mwbatch.journal.interface.finding import known_paths
from mwbatch.journal.interface.naming import former_name, name_for, new_batch_id
from mwbatch.journal.interface.open_batch import OpenBatch
from mwbatch.journal.interface.ref import Ref, usable
from mwbatch.journal.interface.store import Store

SHOWN_PROBLEMS: Final = 20
"""How many problems are shown where rows were to be sent: `validate` is for all of them."""


@dataclass(frozen=True, slots=True)
class ManifestSource:
    """A manifest and what the user said about where its rows belong.

    ``path`` is where it is read; ``batch`` the name asked for; ``add``: rows of another file may be added to
    a batch; ``known_as`` what is recorded as the manifest's path, where that is not ``path`` itself;
    ``skip_invalid``: rows with mistakes are put aside and hold up no others; ``own_columns`` are the user's,
    although their names are other spellings of known ones; ``single_option``: one answer is enough to choose
    from; ``volatile`` parameters of a URL say nothing about what is asked for; ``only_new``: rows that were
    asked for before are left out; ``said`` is what messages call it, where that is not ``path``.
    """

    path: str
    batch: str | None = None
    allow_duplicates: bool = False
    add: bool = False
    known_as: str = ""
    skip_invalid: bool = False
    own_columns: frozenset[str] = frozenset()
    single_option: bool = False
    volatile: tuple[str, ...] = ()
    only_new: bool = False
    said: str = ""

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.said or name_of(self.path)

    def manifest(self, tally: Tally | None = None) -> Manifest:
        """The file, to be read."""
        return Manifest(self.path, tally, self.name)

    @property
    def leave(self) -> Leave:
        """What of the new rows is meant as it stands."""
        return Leave(self.own_columns, self.single_option)

    @property
    def recorded(self) -> str:
        """The path that is recorded, absolute, so that the working directory does not matter."""
        return self.known_as or os.path.abspath(self.path)  # noqa: PTH100 (Path would ask the disk)

    @property
    def paths(self) -> frozenset[str]:
        """The paths by which it is known: a link by its own and by that of its target."""
        return frozenset((self.recorded,)) if self.known_as else known_paths(self.recorded)

    @property
    def aside(self) -> Path:
        """Where rows with mistakes are put: beside the manifest, or where standard input was piped from."""
        return Path(f"{self.batch if self.known_as else self.path}.invalid.jsonl")


@asynccontextmanager
async def readable(source: ManifestSource, context: Context | None = None) -> AsyncIterator[ManifestSource]:
    """The same source, to be read twice: what comes on standard input
    (``-``) or through a pipe is kept aside.

    Raises:
        UsageError: rows from there need a batch that is named.
    """
    if source.path != "-" and not is_pipe(source.path):
        yield source
        return
    if source.batch is None:
        where = source.name if source.path == "-" else f"the pipe {source.path}"
        raise UsageError(f"rows from {where} need the name of a batch: --batch NAME")
    with scratch("rows") as kept:
        tally = (context or Context()).tally
        tally.begin("reading standard input", of_bytes=True)
        async with aclosing(blocks(source.path, source.name)) as there:
            async for block in there:
                # MUST be seen before the end, which some devices do not have.
                if not tally.done and (what := misfit(block)):
                    raise UsageError(f"{source.name} is {what}")
                kept.write(block)
                tally.done += len(block)
        yield replace(source, path=str(kept.path), known_as="-", said=source.name)


async def addressed(store: Store, source: ManifestSource) -> ManifestSource:
    """The source with the batch that its rows name themselves, as a list of invalid rows does; else as it is.

    Raises:
        UsageError: that batch is not in this home.
    """
    if source.batch is not None or source.known_as:
        return source
    manifest = source.manifest()
    async with manifest.chunks() as chunks:
        async for _ in chunks:
            break
    if not manifest.batch_id:
        return source
    for ref in await in_thread(lambda: [*usable(store.batches())]):
        if ref.info.batch_id == manifest.batch_id:
            return replace(source, batch=ref.info.name)
    raise UsageError(
        f"{source.path} has rows of batch {manifest.batch_id}, which is not in {store.where}: use the home "
        "of that batch (--home), or name the batch that they belong to with --batch"
    )


@dataclass(frozen=True, slots=True)
class ChosenBatch:
    """The batch that a manifest belongs to; ``ref`` is None for one that has to be made."""

    info: BatchInfo
    ref: Ref | None


def choose(store: Store, source: ManifestSource, origin: str) -> ChosenBatch:
    """Find the batch of a manifest: by the name asked for, else by its path or its target's,
    else by the file's name.

    Raises:
        UsageError: several batches were made from it.
    """
    there = list(usable(store.batches()))
    wanted, former = source.batch, None
    if wanted is None:
        infos = [ref.info for ref in there]
        same = [info for info in infos if info.manifest == source.recorded] or [
            info for info in infos if source.paths & known_paths(info.manifest)
        ]
        if len({info.batch_id for info in same}) > 1:
            names = ", ".join(info.name for info in same)
            raise UsageError(f"several batches were made from {source.path}: {names}; name one with --batch")
        wanted = same[0].name if same else name_for(source.recorded)
        former = None if same else former_name(source.recorded)
    for name in (wanted, former):
        for ref in there:
            if ref.info.name == name:
                return ChosenBatch(ref.info, ref)
    return ChosenBatch(BatchInfo(wanted, new_batch_id(), origin, source.recorded, None, ()), None)


async def examine(
    source: ManifestSource,
    batch: OpenBatch | None,
    context: Context,
    clock: AskClock | None = None,
) -> ManifestSurvey:
    """Read the whole manifest and compare it with the batch; nothing is written.

    ``clock`` tells the time by which URLs expire; without one this machine's does.

    Raises:
        ManifestError: it has mistakes; all of them are in the error.
        UsageError: it does not belong to this batch.
    """
    context.tally.begin("checking the manifest", size_of(source.path), of_bytes=True)
    found = await survey(
        source.manifest(context.tally),
        identity_of(source, batch),
        _looking_up(batch),
        ManifestSurvey(
            scrutiny=Scrutiny(source.leave, _owned_by(batch)),
            volatile=volatile(source, batch.info if batch else None),
            only_new=source.only_new,
        ),
        clock or of_this_machine(context),
    )
    if found.found and not (source.skip_invalid and found.good and not found.blocking):
        raise ManifestError(_problems(source, found))
    if batch is not None and not (source.add or source.batch):
        _refuse_strangers(source, batch, found)
    return found


def volatile(source: ManifestSource, info: BatchInfo | None) -> tuple[str, ...]:
    """The parameters of URLs that say nothing about what is asked for: those of the batch,
    and those named now.
    """
    return tuple(dict.fromkeys((*(info.volatile if info else ()), *source.volatile)))


def identity_of(source: ManifestSource, batch: OpenBatch | None) -> Callable[[str | None], Identity]:
    """An identity that knows the rows of the batch."""

    def make(id_column: str | None) -> Identity:
        names = volatile(source, batch.info if batch else None)
        identity = Identity(id_column, allow_duplicates=source.allow_duplicates, volatile=names)
        if batch is None or not batch.state.planned:
            return identity
        if id_column != batch.info.id_column:
            raise UsageError(
                f"batch {batch.info.name} knows its rows by {_by(batch.info.id_column)}, {source.name} by "
                f"{_by(id_column)}: use the same column, or begin another batch with --batch NAME"
            )
        for planned in batch.journal.rows():
            identity.know(planned, idle=batch.state.is_idle(planned.row))
        return identity

    return make


def _by(id_column: str | None) -> str:
    return "a digest of each request" if id_column is None else f"column {id_column}"


def _looking_up(batch: OpenBatch | None) -> Callable[[int], Planned | None]:
    """Looks a row of the batch up again, for messages about mistakes."""
    return lru_cache(maxsize=1024)(batch.planned) if batch else lambda _: None


def _owned_by(batch: OpenBatch | None) -> Callable[[], frozenset[str]]:
    """Gives the columns of the batch's rows that were taken for the
    user's own although they look like known ones.
    """

    def owned() -> frozenset[str]:
        there = batch.journal.rows() if batch else ()
        return frozenset(name for planned in there for name in planned.columns if meant(name))

    return owned


def _problems(source: ManifestSource, found: ManifestSurvey) -> list[str]:
    told = found.problems[:SHOWN_PROBLEMS]
    lines = [problem.text(source.name) for problem in told]
    if found.scrutiny and found.scrutiny.expiring:
        lines += found.scrutiny.expiring.text()
    if more := found.found - len(told):
        lines.append(f"{source.name}: and {counted(more, 'more problem')}, which validate shows")
    can_be_parted = found.good and not found.blocking
    aside = "; with --skip-invalid the other rows are sent now, and these put aside" if can_be_parted else ""
    lines.append(
        f"{counted(found.found, 'problem')}; nothing was sent. Mend what is wrong, then run the same "
        f"command again{aside}"
    )
    return lines


def _refuse_strangers(source: ManifestSource, batch: OpenBatch, found: ManifestSurvey) -> None:
    """What has the name or the path of a batch's manifest is that only if it shares rows with the batch."""
    if batch.state.planned and not (found.known or found.left_out):
        raise UsageError(
            f"batch {batch.info.name} was made from {batch.info.manifest}, and {source.name} has no row in "
            "common with it: begin another batch with --batch NAME, or add these rows to it with --add"
        )
