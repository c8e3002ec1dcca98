"""Any bytes, read as a recipe for a JSON value:
a fuzzer that writes values wastes no time on text that is none.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from mwbatch.core.codec.json_codec import Json

SCALARS: Final[tuple[Json, ...]] = (
    *(None, True, False, 0, 1, -1, 9, 1 << 53, (1 << 63) - 1, 1 << 63, (1 << 64) - 1, 1 << 64, -(1 << 63)),
    *(0.5, -0.0, 1e300, 5e-324, 1e20, "", " ", "0", "\0", "\n", "\ud83d", "\U0001f600", "\u2028", "a" * 300),
)
_DEEPEST: Final = 30


def build(recipe: bytes, words: Sequence[str]) -> Json:
    """The value that a recipe spells; ``words`` are texts and keys that mean something."""
    return _value(iter(recipe), words, 0)


def _value(recipe: Iterator[int], words: Sequence[str], depth: int) -> Json:
    what, count = next(recipe, 0) % 8, next(recipe, 0)
    if what < 2 or depth > _DEEPEST:
        return SCALARS[count % len(SCALARS)]
    if what < 4:
        return words[count % len(words)]
    if what == 4:
        return "".join(chr(next(recipe, 0) | (next(recipe, 0) & 1) << 8) for _ in range(count % 6))
    if what == 5:
        return [_value(recipe, words, depth + 1) for _ in range(count % 5)]
    return {_key(recipe, words): _value(recipe, words, depth + 1) for _ in range(count % 9)}


def _key(recipe: Iterator[int], words: Sequence[str]) -> str:
    return words[next(recipe, 0) % len(words)]
