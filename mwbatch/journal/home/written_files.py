r"""What mwbatch wrote where its user wanted it, known by its content: ``--force`` replaces nothing else.

::

    .written.jsonl   {"written":"b3c1…","path":"/data/logos.csv"}\n   in the home

A file is known by the digest of its bytes, a folder by that of all that is in it with its names: moved or
copied it is known still, and once somebody has changed it, it is his. The path is for people; nothing goes by
it.
"""

import os
import stat
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Final

from mwbatch.core.codec.json_codec import BadJson, Json, decode_object, encode
from mwbatch.journal.files.disk import DISK, open_to_read, read_own
from mwbatch.journal.files.replacing import names_in
from mwbatch.journal.home.begun import FOLDER as BEGUN
from mwbatch.journal.home.folder_record import NAME as RECORD
from mwbatch.journal.interface.naming import INBOX, TAKEN

NAME: Final = ".written.jsonl"
"""In the home; no batch can have such a name."""

_BLOCK: Final = 1 << 20
_ROOT: Final = 0
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


class WrittenFiles:
    """What was written from one home."""

    def __init__(self, home: Path) -> None:
        self._home, self._path = home, home / NAME

    def note(self, *there: tuple[Path, Path]) -> None:
        """Note what stands at the first path of each, and will at the second.

        Where a home takes no note, as one that can only be read, it is not known later, and ``--force``
        leaves it.
        """
        lines = [encode({"written": digest(now), "path": str(then)}) for now, then in there]
        with suppress(OSError):
            DISK.append(self._path, b"\n" + b"\n".join(lines) + b"\n")

    def knows(self, path: Path) -> bool:
        """Whether what stands at a path is what was written, as it was written; a link never is.

        Blocks while it reads.
        """
        try:
            name = digest(path)
            lines = _noted(self._path)
        except OSError:
            return False
        return any(_said(text) == name for text in lines if name.encode() in text)

    def claims(self, path: Path) -> bool:
        """Whether the home, or a batch in it, has a path for itself."""
        home, place = self._home.resolve(), path.parent.resolve() / path.name
        if not place.is_relative_to(home):
            return False
        first, *rest = place.relative_to(home).parts or ("",)
        has_batch = os.path.lexists(home / first / RECORD)
        return has_batch or first in {"", BEGUN, NAME, *TAKEN} or (first == INBOX and bool(rest))


def _noted(path: Path) -> list[bytes]:
    """The lines of our notes.

    None of a file that others may have written, who would have us replace what is the user's.

    Raises:
        OSError: it cannot be read.
    """
    with read_own(path) as file:
        found = os.fstat(file.fileno())
        is_ours = found.st_uid in (os.geteuid(), _ROOT) and not found.st_mode & _OTHERS_WRITE
        return file.read().split(b"\n") if is_ours else []


def _said(text: bytes) -> Json:
    try:
        return decode_object(text).get("written")
    except BadJson:  # cut off, as a crash leaves it
        return None


def digest(path: Path) -> str:
    """The digest of a file's bytes, or of a folder with all that is in it.

    Raises:
        OSError: it cannot be read, or something in it is neither.
    """
    file = open_to_read(path)
    try:
        mode = os.fstat(file).st_mode
        if stat.S_ISDIR(mode):
            found = blake2b(person=b"folder", digest_size=32)
            for name in sorted(names_in(file)):
                found.update(b"%b\0%b\0" % (os.fsencode(name), digest(path / name).encode()))
        elif stat.S_ISREG(mode):
            found = blake2b(person=b"file", digest_size=32)
            while block := os.read(file, _BLOCK):
                found.update(block)
        else:
            raise OSError(f"{path} is neither file nor folder")
    finally:
        os.close(file)
    return found.hexdigest()
