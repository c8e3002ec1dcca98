"""Chance without order: numbers and ids drawn by hashing, so that they never depend on who asked first."""

from hashlib import blake2b
from typing import Final

_LETTERS: Final = "23456789ABCDEFGHJKLMNPQRSTWXYZabcdefghijkmnopqrstuvwxyz"


def number(*parts: object) -> int:
    """Draw a whole number in [0, 2**64) from ``parts``; the same parts give the same number."""
    text = "\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")


def fraction(*parts: object) -> float:
    """Draw a number in [0, 1) from ``parts``."""
    return (number(*parts) >> 11) / 2**53


def identifier(*parts: object) -> str:
    """Draw an id of 17 letters and digits, shaped like the reference's ``oPkwaTCPLzNd873rx``."""
    text = "\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass")
    rest = int.from_bytes(blake2b(text, digest_size=16).digest(), "big")
    letters = []
    for _ in range(17):
        rest, index = divmod(rest, len(_LETTERS))
        letters.append(_LETTERS[index])
    return "".join(letters)
