"""Rows with mistakes, put aside beside their manifest: itself a manifest, to be mended and submitted."""

import asyncio
import filecmp
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import aiofiles

from mwbatch.commands.manifests import Manifest
from mwbatch.commands.survey import ASIDE, Survey
from mwbatch.core.entry import OUR_BATCH, OUR_ERROR, Entry, Problem, cells_of
from mwbatch.core.text import encode
from mwbatch.errors import StoreError, UsageError
from mwbatch.journal.disk import DISK, beside


async def put_aside(manifest: str, found: Survey, path: Path, batch_id: str) -> int:
    """Write every row with a mistake to ``path``, durable, with its batch and what is wrong; returns how many.

    Raises:
        UsageError: there is a file already that holds something else: somebody may be mending it.
        StoreError: it cannot be written.
    """
    aside, count = beside(path), 0
    try:
        async with aiofiles.open(aside, "xb") as file:
            async for rows in _chunks(manifest, found):
                lines = [_line(problems, batch_id) for problems in rows]
                await file.write(b"".join(lines))
                count += len(lines)
        await asyncio.to_thread(_put, aside, path)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}") from error
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
    return count


def _put(aside: Path, path: Path) -> None:
    """Give a file its name, unless that is taken by one that holds something else."""
    if path.exists() and not filecmp.cmp(aside, path, shallow=False):
        raise UsageError(
            f"{path} is there already and holds something else: move it away first, so that nothing of yours is lost"
        )
    DISK.put(aside, path)


async def _chunks(manifest: str, found: Survey) -> AsyncIterator[list[list[Problem]]]:
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


def _of_good_row(found: Survey, place: int, entry: Entry) -> list[Problem]:
    """What is wrong with a row that is good by itself, the ``place``-th of these."""
    if place in found.disputed:
        return [found.disputed[place]]
    if found.scrutiny is None or found.numbers[place] != ASIDE:
        return []
    cells = cells_of(entry, found.id_column)
    return [replace(one, cells=cells) for one in found.scrutiny.problems(entry)]


def _by_line(problems: list[Problem]) -> Iterator[list[Problem]]:
    return (list(same) for _, same in groupby(problems, key=lambda problem: problem.line))


def _line(problems: list[Problem], batch_id: str) -> bytes:
    """One row with the batch to which it belongs, and all that is wrong with it."""
    told = "; ".join(f"{p.column}: {p.message}" if p.column else p.message for p in problems)
    return encode({**(problems[0].cells or {}), OUR_BATCH: batch_id, OUR_ERROR: told}) + b"\n"
