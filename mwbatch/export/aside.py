"""Output that is whole or not there: written aside in the same folder, made durable, then renamed."""

import ctypes
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from mwbatch.errors import StoreError, UsageError

OURS: Final = frozenset(
    (
        "images.csv",
        "data.yaml",
        "labels",
        "labels.cache",
        "Annotations",
        "annotations.json",
        "tasks.json",
        "label_config.xml",
    )
)
"""What exports write into a folder (or trainers beside it). ``--force`` replaces these and keeps all else."""

_AT_FDCWD: Final = -100
_EXCHANGE: Final = 2


def check_path(path: Path, *, folder: bool, force: bool) -> None:
    """Raise `UsageError` where a file, or a ``folder``, may not be put at ``path``."""
    if not path.parent.is_dir():
        raise UsageError(f"-o {path}: there is no folder {path.parent}; make it first")
    if not os.path.lexists(path):
        return
    if not force:
        raise UsageError(f"{path} is there already; choose another -o, or replace it with --force")
    if path.is_dir() and not path.is_symlink():
        there = {entry.name for entry in path.iterdir()}
        if there - OURS and not (folder and there & OURS):
            raise UsageError(
                f"{path} is a folder with files that no export wrote, so --force leaves it alone; choose another -o"
            )
    elif not path.is_file():
        raise UsageError(f"{path} is no file and no folder; choose another -o")


@contextmanager
def aside(path: Path, *, folder: bool, force: bool) -> Iterator[Path]:
    """Give a place beside ``path`` to write to; after the block it stands at ``path``, after an error nothing does.

    Raises:
        UsageError: it may not be put there, perhaps since a moment ago.
        StoreError: this machine cannot write it.
    """
    token = secrets.token_hex(4)
    place, old = (path.with_name(f".{path.name}.{token}.{end}") for end in ("new", "old"))
    try:
        if folder:
            place.mkdir()
        yield place
        _make_durable(place)
        check_path(path, folder=folder, force=force)
        _put(place, path, old)
        _sync(path.parent)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        _remove(place)


def _make_durable(place: Path) -> None:
    if place.is_dir():
        os.sync()  # one call for what may be a million files, where as many fsyncs would take hours
    else:
        _sync(place)


def _put(place: Path, path: Path, old: Path) -> None:
    """Rename over what is there; a folder there keeps what no export wrote, such as the images themselves."""
    if not os.path.lexists(path) or not (place.is_dir() or path.is_dir()):
        place.replace(path)
        return
    if not _exchange(place, path):  # for a moment neither is at ``path``; both are beside it
        path.rename(old)
        place.rename(path)
        old.rename(place)
    if place.is_dir() and path.is_dir():
        for entry in place.iterdir():
            if entry.name not in OURS and not os.path.lexists(path / entry.name):
                entry.rename(path / entry.name)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two names at once, where the system can: Linux, on file systems that know how."""
    if not sys.platform.startswith("linux"):
        return False
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    return bool(rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _EXCHANGE) == 0)


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _remove(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place, ignore_errors=True)
    else:
        place.unlink(missing_ok=True)
