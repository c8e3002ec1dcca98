"""From aside to a path of the user's: what is ours changes places with what is new,
and what is his never moves.

A folder may hold more than an export wrote: pictures, notes, models. Where it holds nothing else it is
replaced at once; else one entry after another, and back again where one cannot. A kill between two of these
leaves some that are new and some that are missing, all of them ours: the same command again mends that.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from mwbatch.journal.files.disk import Mark
from mwbatch.journal.files.renaming import give_name, swap
from mwbatch.journal.files.replacing import Staged, beside, names_in, remove

STALE: Final = "labels.cache"
"""What a trainer keeps of the labels beside it: wrong once they are others, and yet not ours to remove."""

_OLD: Final = ".old"

Seen = dict[str, Mark | None]
"""What stood at some paths."""


class Changed(Exception):
    """Somebody changed what was to be replaced, after it was looked at; all is as he left it."""


def seen(path: Path, entries: frozenset[str]) -> Seen:
    """What stands at a path now, and at those of its ``entries``."""
    return {name: Mark.of(path / name, follow=False) for name in ("", *sorted(entries))}


def place(new: Staged, entries: frozenset[str], before: Seen) -> None:
    """Give what was made its place, where there is nothing, or nothing but what was ``seen`` and is ours.

    Raises:
        Changed: it is not as it was.
        FileExistsError: something is there now.
        OSError: it cannot be. In each case nothing has changed.
    """
    if before[""] is None:
        give_name(new.path, new.place)
    elif new.path.is_dir() and new.place.is_dir() and not names_in(new.place) <= entries:
        _place_entries(new, entries, before)
    else:
        _place_whole(new, entries, before)
    new.sync_folder()


def _place_whole(new: Staged, entries: frozenset[str], before: Seen) -> None:
    """Let old and new change places; what is old is removed with all that stands aside."""
    if new.path.is_dir() == new.place.is_dir():
        os.fchmod(new.file, stat.S_IMODE(new.place.stat().st_mode))
    if not swap(new.path, new.place):
        _place_plainly(new, entries, before)
    elif seen(new.path, entries) != before:  # a name more or less in a folder tells by its time
        _give_back(new)
        raise Changed


def _give_back(new: Staged) -> None:
    """Put what came out where it was; where that cannot be, MUST leave it beside:
    what stands aside is removed.
    """
    done = False
    with suppress(OSError):
        done = swap(new.path, new.place)
    if not done:
        give_name(new.path, free(new.place, "mine"))


def _place_plainly(new: Staged, entries: frozenset[str], before: Seen) -> None:
    """The same where the file system knows no such change."""
    if seen(new.place, entries) != before:
        raise Changed
    if not new.path.is_dir() and not new.place.is_dir():
        new.path.replace(new.place)
        return
    old = beside(new.place)
    give_name(new.place, old)
    try:
        give_name(new.path, new.place)
    except OSError:
        give_name(old, new.place)
        raise
    remove(old)


def _place_entries(new: Staged, entries: frozenset[str], before: Seen) -> None:
    """Move the old ones out and the new ones in; all go back where one cannot."""
    made, old = names_in(new.path), new.path / _OLD
    old.mkdir()
    moved = list[tuple[Path, Path]]()

    def move(one: Path, other: Path) -> None:
        give_name(one, other)
        moved.append((one, other))

    try:
        for name in sorted(entries & names_in(new.place)):
            move(new.place / name, old / name)
            _hold_to(before[name], old / name)
        if os.path.lexists(new.place / STALE):
            move(new.place / STALE, free(new.place / STALE, "old"))
        for name in made:
            move(new.path / name, new.place / name)
    except BaseException:
        for one, other in reversed(moved):
            with suppress(OSError):
                give_name(other, one if not os.path.lexists(one) else free(one, "mine"))
        raise


def _hold_to(before: Mark | None, path: Path) -> None:
    if Mark.of(path, follow=False) != before:
        raise Changed


def free(path: Path, word: str = "") -> Path:
    """A name beside ``path`` that nothing has: with a number before its endings,
    or with a ``word`` behind them.
    """
    first, dot, ending = (f"{path.name}.{word}", "", "") if word else path.name.partition(".")
    number = 1 if word else 2
    while True:
        counted = path.with_name(f"{first}{f'.{number}' if number > 1 else ''}{dot}{ending}")
        if not os.path.lexists(counted):
            return counted
        number += 1
