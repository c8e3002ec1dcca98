"""Rows with mistakes, put aside beside their manifest: itself a manifest, to be mended and submitted."""

import os
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import groupby
from pathlib import Path

from mwbatch.commands.manifest.manifest_survey import ASIDE, ManifestSurvey
from mwbatch.commands.manifest.manifests import Manifest
from mwbatch.core.codec.json_codec import BadJson, decode_object, encode
from mwbatch.core.manifest.entry import OUR_BATCH, OUR_ERROR, OUR_ROW, Entry, Problem, cells_of
from mwbatch.errors import StoreError
from mwbatch.journal.files.closing import in_thread
from mwbatch.journal.files.disk import DISK, open_to_read
from mwbatch.journal.files.replacing import Staged, aside, make_public


@dataclass(slots=True)
class PutAside:
    """How many rows with mistakes stand in which list: those put there now,
    and those put there by an earlier run.
    """

    now: Counter[Path] = field(default_factory=Counter)
    before: Counter[Path] = field(default_factory=Counter)

    @property
    def rows(self) -> int:
        """All of them."""
        return self.now.total() + self.before.total()


async def put_aside(manifest: str, found: ManifestSurvey, path: Path, batch_id: str) -> PutAside:
    """Write every row with a mistake that stands in no list yet to a new one, durable,
    with its batch and what is wrong.

    The list is called ``path``, or has a number where something is there already: somebody may be mending it.

    Raises:
        StoreError: it cannot be written.
    """
    told = PutAside()
    try:
        before = await in_thread(_known, path, batch_id)
        with ExitStack() as stack:
            new: Staged | None = None
            async for rows in _chunks(manifest, found):
                lines = list(_lines(rows, batch_id, before, told))
                if lines and new is None:
                    new = stack.enter_context(aside(path, make=make_public))
                if new is not None:
                    await in_thread(new.write, b"".join(lines))
                    told.now[path] += len(lines)
            if new is not None:
                told.now = Counter({await in_thread(_put, new): told.now[path]})
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}") from error
    return told


def _known(path: Path, batch_id: str) -> dict[str, Path]:
    """The rows of a batch that stand in lists beside ``path``, by what tells them; mended or not."""
    known = dict[str, Path]()
    for there in _lists(path):
        with suppress(OSError), os.fdopen(open_to_read(there), "rb") as file:
            for text in file:
                with suppress(BadJson):
                    row = decode_object(text)
                    if row.get(OUR_BATCH) == batch_id and OUR_ROW in row:
                        known.setdefault(str(row[OUR_ROW]), there)
    return known


def _lists(path: Path) -> list[Path]:
    """The lists that there are of a manifest."""
    name = re.compile(re.escape(path.stem) + r"(\.[0-9]+)?\.jsonl")
    with suppress(PermissionError):  # a folder that may be written and not read
        return sorted(there for there in path.parent.iterdir() if name.fullmatch(there.name))
    return []


def _put(new: Staged) -> Path:
    """Give a list its name, or the next one that nothing has."""
    DISK.settle(new.file)
    first, number = new.place, 2
    while True:
        try:
            new.put()
        except FileExistsError:
            new.place, number = first.with_suffix(f".{number}.jsonl"), number + 1
        else:
            return new.place


async def _chunks(manifest: str, found: ManifestSurvey) -> AsyncIterator[list[list[Problem]]]:
    """The problems of the file in its order, those of one line together, chunk by chunk."""
    place = 0
    async with Manifest(manifest).chunks() as chunks:
        async for chunk in chunks:
            problems = list[Problem]()
            for one in chunk:
                if isinstance(one, Entry):
                    problems += _of_good_row(found, place, one)
                    place += 1
                else:
                    problems.append(one)
            yield list(_by_line(problems))


def _of_good_row(found: ManifestSurvey, place: int, entry: Entry) -> list[Problem]:
    """What is wrong with a row that is good by itself, the ``place``-th of these."""
    if place in found.disputed:
        return [found.disputed[place]]
    if found.scrutiny is None or found.numbers[place] != ASIDE:
        return []
    cells = cells_of(entry, found.id_column)
    return [replace(one, cells=cells) for one in found.scrutiny.problems(entry)]


def _by_line(problems: list[Problem]) -> Iterator[list[Problem]]:
    return (list(same) for _, same in groupby(problems, key=lambda problem: problem.line))


def _lines(
    rows: list[list[Problem]], batch_id: str, before: dict[str, Path], told: PutAside
) -> Iterator[bytes]:
    """Those of some rows that stand in no list yet; the others are counted."""
    for problems in rows:
        cells: Mapping[str, object] = problems[0].cells or {}
        name = _name(cells)
        if name in before:
            told.before[before[name]] += 1
        else:
            yield encode({**cells, OUR_BATCH: batch_id, OUR_ROW: name, OUR_ERROR: _told(problems)}) + b"\n"


def _name(cells: Mapping[str, object]) -> str:
    """What tells a row as it stands from others."""
    bare = {name: cell for name, cell in cells.items() if name not in (OUR_BATCH, OUR_ROW, OUR_ERROR)}
    return blake2b(encode(bare), digest_size=12).hexdigest()


def _told(problems: list[Problem]) -> str:
    """All that is wrong with a row."""
    return "; ".join(f"{p.column}: {p.message}" if p.column else p.message for p in problems)
