"""File names for images: the row's id where that is a safe and unique name everywhere, else its number."""

import re
from array import array
from collections.abc import Iterator
from itertools import pairwise
from typing import Final
from urllib.parse import urlsplit

_SAFE: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?")
_DEVICE: Final = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)
_NUMBER: Final = re.compile(r"[0-9]{7,}")
_PARTS: Final = 256
_BITS: Final = (1 << 64) - 1
SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif")


class Names:
    """The names of a batch's images, settled by all of its rows:
    that more are completed changes none of them.

    8 bytes a row: hashes of the ids in lower case, as some file systems do not tell ``a`` from ``A``. A rare
    collision of two hashes costs the rows their nicer names, and nothing else.
    """

    def __init__(self) -> None:
        self._rows = 0
        self._hashes: tuple[array[int], ...] = tuple(array("Q") for _ in range(_PARTS))
        self._repeated: frozenset[int] | None = None

    def take(self, row: int, name: str) -> None:
        """Take in the id of a row."""
        self._rows = max(self._rows, row + 1)
        if is_safe(name):
            number = _hash(name)
            self._hashes[number % _PARTS].append(number)

    def name(self, row: int, id_: str) -> str:
        """The name of a row's image, without a suffix."""
        if self._repeated is None:
            self._repeated = frozenset(self._find_repeated())
        number = f"{row:07d}"
        if not is_safe(id_) or _hash(id_) in self._repeated:
            return number
        # An id that is the number of another row would be that row's name.
        return number if _NUMBER.fullmatch(id_) and int(id_) < self._rows else id_

    def _find_repeated(self) -> Iterator[int]:
        """Part by part, as a list of numbers takes five times the room of an array."""
        for part in self._hashes:
            ordered = sorted(part)
            yield from (one for one, other in pairwise(ordered) if one == other)


def is_safe(name: str) -> bool:
    """Whether every file system takes it as a name: plain ASCII, no separators, no device of Windows."""
    return bool(_SAFE.fullmatch(name)) and not _DEVICE.fullmatch(name)


def suffix(url: str) -> str:
    """The suffix of an image's file by its address; ``.jpg`` where that has none of an image."""
    path = urlsplit(url).path.lower()
    return next((known for known in SUFFIXES if path.endswith(known)), ".jpg")


def _hash(name: str) -> int:
    return hash(name.lower()) & _BITS
