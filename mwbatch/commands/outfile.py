"""A file that is written whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from mwbatch.errors import StoreError, UsageError
from mwbatch.journal.disk import DISK, beside


@contextmanager
def outfile(path: Path, *, force: bool = False) -> Iterator[BinaryIO]:
    """Open a file beside ``path``; after the block it is durable and stands there, after an error nothing does.

    Raises:
        UsageError: something is there and ``force`` was not asked for, or there is no such folder.
        StoreError: it cannot be written.
    """
    if not path.parent.is_dir():
        raise UsageError(f"-o {path}: there is no folder {path.parent}; make it first")
    if os.path.lexists(path) and not (force and path.is_file()):
        raise UsageError(f"{path} is there already; choose another -o, or replace a file with --force")
    aside = beside(path)
    try:
        with aside.open("xb") as file:
            yield file
        DISK.put(aside, path)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        aside.unlink(missing_ok=True)
