"""Digests of 128 bits that name what a row asks for and what an answer says, and a compact index of them."""

from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping
from hashlib import blake2b
from struct import iter_unpack
from typing import Final

from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.codec.json_codec import as_bytes, canonical
from mwbatch.core.facts.kinds import Fact, Request, Seen
from mwbatch.core.urls.signed_urls import unsigned

SIZE: Final = 16
"""The bytes of a digest."""

_FIRST: Final = 1 << 14


class Digests:
    """Digests in the order in which they came, numbered from 0; each can be found by its value.

    An open hash table of numbers over one run of bytes, the digest itself being the hash: 24 to 48 bytes
    each, where a dict of bytes takes 123.
    """

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._slots = array("I", bytes(4 * _FIRST))
        self._mask = _FIRST - 1

    def __len__(self) -> int:
        return len(self._bytes) // SIZE

    def __iter__(self) -> Iterator[bytes]:
        return (self[number] for number in range(len(self)))

    def __getitem__(self, number: int) -> bytes:
        return bytes(self._bytes[number * SIZE : number * SIZE + SIZE])

    def add(self, digest: bytes) -> int:
        """Add a digest if it never came before; return its number."""
        return self.add_all((digest,))[0]

    def add_all(self, digests: Iterable[bytes]) -> list[int]:
        """As `add`, for many, which takes half the time; return the number of each."""
        return self._take(digests, copies=False)

    def find(self, digest: bytes) -> int | None:
        """The number of a digest; None where it never came."""
        slots, kept, mask = self._slots, self._bytes, self._mask
        slot = hash(digest) & mask
        while (number := slots[slot]) and not kept.startswith(digest, (number - 1) * SIZE):
            slot = slot + 1 & mask
        return number - 1 if number else None

    def among(self, pairs: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, int]]:
        """For each pair of a number and a digest that is here: the digest's own number,
        and the number of the pair.
        """
        slots, kept, mask = self._slots, self._bytes, self._mask
        for other, digest in pairs:
            slot = hash(digest) & mask
            while number := slots[slot]:
                if kept.startswith(digest, (number - 1) * SIZE):
                    yield number - 1, other
                    break
                slot = slot + 1 & mask

    def __contains__(self, digest: bytes) -> bool:
        return self.find(digest) is not None

    def append(self, digest: bytes) -> int:
        """Add a digest even if it came before; return the number of the first one that equals it."""
        return self.append_all((digest,))[0]

    def append_all(self, digests: Iterable[bytes]) -> list[int]:
        """As `append`, for many."""
        return self._take(digests, copies=True)

    def _take(self, digests: Iterable[bytes], *, copies: bool) -> list[int]:
        slots, kept, mask = self._slots, self._bytes, self._mask
        numbers: list[int] = []
        for digest in digests:
            slot = hash(digest) & mask
            while number := slots[slot]:
                if kept.startswith(digest, (number - 1) * SIZE):
                    if copies:
                        kept += digest
                    break
                slot = slot + 1 & mask
            else:
                kept += digest
                number = slots[slot] = len(kept) // SIZE
                if number * 2 > mask:
                    self._grow()
                    slots, mask = self._slots, self._mask
            numbers.append(number - 1)
        return numbers

    def _grow(self) -> None:
        """Make the table four times as large and place every number anew,
        so that of equals the first is found.
        """
        self._mask = mask = self._mask * 4 + 3
        slots, kept = array("I", bytes(4 * mask + 4)), self._bytes
        self._slots = slots
        for number, (digest,) in enumerate(iter_unpack(f"{SIZE}s", self._bytes), 1):
            slot = hash(digest) & mask
            while (other := slots[slot]) and not kept.startswith(digest, (other - 1) * SIZE):
                slot = slot + 1 & mask
            slots[slot] = other or number


def named(text: str) -> bytes:
    """The digest of a text, be it a lone surrogate: ids come from others."""
    return blake2b(as_bytes(text), digest_size=SIZE).digest()


def digest(response: object) -> str:
    """Name what an answer says: 128 bits of BLAKE2b over its canonical JSON, lower-case hex."""
    return blake2b(canonical(response), digest_size=16).hexdigest()


def identity(fact: Fact) -> bytes | None:
    """Name an answer, so that the same one is kept once; None for every other fact,
    whose repetition costs nothing.

    Equal for two deliveries of one task at one address whose ``response`` says the same.
    """
    if not isinstance(fact, Seen) or fact.answer is None:
        return None
    return answer_name(fact.row, fact.attempt, fact.task_id, fact.answer)


def answer_name(row: RowNumber, attempt: Attempt, task_id: str, answer: str) -> bytes:
    """16 bytes that name an answer."""
    return named(f"{row}-{attempt}/{task_id}/{answer}")


def request_digest(kind: str, request: Mapping[str, object]) -> bytes:
    """Name what a row asks for: 16 bytes of BLAKE2b over the canonical JSON of its type and its request."""
    return blake2b(canonical([kind, request]), digest_size=SIZE).digest()


def stable_digest(kind: str, request: Request, volatile: Collection[str] = (), exact: bytes = b"") -> bytes:
    """Name what a row asks for whatever signature its URL carries today; see `mwbatch.core.urls.signed_urls`.

    Where the URL is not signed it is the `request_digest`, which need not be computed again where it is at
    hand (``exact``).
    """
    url = request["image_url"]
    if (stays := unsigned(url, volatile)) != url:
        return request_digest(kind, {**request, "image_url": stays})
    return exact or request_digest(kind, request)


def digest_id(kind: str, request: Mapping[str, object]) -> str:
    """The id of a row for which the manifest gives none: `request_digest` as 32 lower-case hex digits."""
    return request_digest(kind, request).hex()
