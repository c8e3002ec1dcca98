"""Digests of 128 bits that name what a row asks for, and a compact index of them."""

from array import array
from hashlib import blake2b
from typing import Final

from mwbatch.core.text import Json, canonical

SIZE: Final = 16
"""The bytes of a digest."""

_FIRST: Final = 1024


class Digests:
    """Digests in the order in which they came, numbered from 0; each can be found by its value.

    An open hash table of numbers over one run of bytes, the digest itself being the hash: 22 to 28 bytes each, where a
    dict of bytes takes 123.
    """

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._slots = array("I", bytes(4 * _FIRST))
        self._mask = _FIRST - 1

    def __len__(self) -> int:
        return len(self._bytes) // SIZE

    def __getitem__(self, number: int) -> bytes:
        return bytes(self._bytes[number * SIZE : number * SIZE + SIZE])

    def find(self, digest: bytes) -> int | None:
        """The number of this digest, the first where it came more than once; None if it never came."""
        slots, kept, slot = self._slots, self._bytes, int.from_bytes(digest[:8], "little") & self._mask
        while number := slots[slot]:
            if kept.startswith(digest, (number - 1) * SIZE):
                return number - 1
            slot = slot + 1 & self._mask
        return None

    def append(self, digest: bytes) -> int:
        """Add a digest and return its number."""
        self._bytes += digest
        number = len(self)
        if number * 3 > len(self._slots) * 2:
            self._grow()
        else:
            self._place(digest, number)
        return number - 1

    def _place(self, digest: bytes, number: int) -> None:
        slot = int.from_bytes(digest[:8], "little") & self._mask
        while self._slots[slot]:
            slot = slot + 1 & self._mask
        self._slots[slot] = number

    def _grow(self) -> None:
        """Double the table and place every digest anew, in order, so that the first is still the one found."""
        self._mask = len(self._slots) * 2 - 1
        self._slots = array("I", bytes(8 * len(self._slots)))
        for number in range(len(self)):
            self._place(self[number], number + 1)


def request_digest(kind: str, request: dict[str, Json]) -> bytes:
    """Name what a row asks for: 16 bytes of BLAKE2b over the canonical JSON of its type and its request."""
    return blake2b(canonical([kind, request]), digest_size=SIZE).digest()


def digest_id(kind: str, request: dict[str, Json]) -> str:
    """The id of a row for which the manifest gives none: `request_digest` as 32 lower-case hex digits."""
    return request_digest(kind, request).hex()
