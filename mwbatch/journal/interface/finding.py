"""Which batch a word means: by its name, by its manifest, or by the name that its store has it by."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from mwbatch.core.words.hint import hint
from mwbatch.errors import UsageError
from mwbatch.journal.interface.ref import Ref, UnusableBatch, usable


def known_paths(path: str) -> frozenset[str]:
    """The paths by which a manifest is known: its own, and where that leads to if it is a link."""
    try:
        return frozenset((path, os.path.realpath(path)))
    except ValueError:  # a NUL: no file has such a path
        return frozenset((path,))


def meant(batch: str, looked: Iterable[Ref | UnusableBatch], where: str) -> Ref:
    """The batch that a word means, of those in the store ``where`` it was looked for.

    Raises:
        UsageError: there is none; the message lists those that are there. Or several were made from one
        manifest.
        StoreError: what has this name cannot be used.
    """
    looked = list(looked)
    there = list(usable(looked))
    path = os.path.abspath(batch)  # noqa: PTH100 (Path would not resolve "..")
    for ref in there:
        if ref.info.name == batch:
            return ref
    fitting = [ref for ref in there if ref.info.manifest == path]
    fitting = fitting or [ref for ref in there if known_paths(path) & known_paths(ref.info.manifest)]
    fitting = fitting or [ref for ref in there if ref.name == batch]
    if len({ref.info.batch_id for ref in fitting}) == 1:
        return fitting[0]
    if fitting:
        names = ", ".join(ref.info.name for ref in fitting)
        raise UsageError(f"several batches were made from {batch}: {names}; name the one that you mean")
    for one in looked:
        if isinstance(one, UnusableBatch) and one.name == batch:
            raise one.why
    raise UsageError(_unknown(batch, path, there, where))


def _unknown(batch: str, path: str, there: list[Ref], where: str) -> str:
    """That there is no such batch, which there are, and which may be meant."""
    from difflib import get_close_matches  # noqa: PLC0415 (needed here alone)

    names = ", ".join(ref.info.name for ref in there) or f"none yet: {hint('submit', 'MANIFEST')} makes one"
    known = {
        name: info.name
        for info in (ref.info for ref in there)
        for name in (info.name, info.manifest, Path(info.manifest).name)
    }
    close = get_close_matches(batch, known, 1, 0.7)
    meant = f" (did you mean {known[close[0]]}?)" if close else ""
    with suppress(OSError):  # the word may be too long for a path
        if not meant and Path(path).is_file():
            meant = " (no batch was made from this file yet: submit it first)"
    return f"no batch {batch} in {where}{meant}; batches there: {names}"
