"""The names of columns: those that mwbatch knows, and other spellings of them,
under which a row would be misread.

A row whose ``Instruction`` is not seen for an instruction is a tagging row, and is bought as one.
"""

from collections.abc import Collection, Iterable
from functools import lru_cache
from itertools import product
from typing import Final
from unicodedata import normalize

IMAGE_URL: Final = "image_url"
ID_NAMES: Final = ("id", "custom_id", "unique_id", "global_key")
"""The names that the id column may have."""

TAGGING: Final = ("objects_to_tag",)
ANNOTATING: Final = ("instruction", "annotation_option", "tags")
KNOWN: Final = (IMAGE_URL, "type", *TAGGING, *ANNOTATING, *ID_NAMES)
"""Every name that a column may have for mwbatch; all others are the user's own."""

LONGEST: Final = 128
"""The longest name, in characters, that is looked at for what it may mean."""

_FILLERS: Final = "\u115f\u1160"
"""Letters that show nothing: the fillers of Hangul, as NFKC leaves them."""


def _spellings(known: str) -> list[str]:
    """A known name without what stands between its words, each of them with an s at its end and without."""
    words = [(word, f"{word}s") for word in (one.removesuffix("s") for one in known.split("_"))]
    return ["".join(some) for some in product(*words)]


_MEANT: Final = {spelling: known for known in KNOWN for spelling in _spellings(known)}
_OTHER_WORDS: Final = {
    "url": IMAGE_URL,
    "image": IMAGE_URL,
    "question": "instruction",
    "prompt": "instruction",
    "option": "annotation_option",
    "choice": "annotation_option",
    "answer": "annotation_option",
    "box": "tags",
    "boxe": "tags",
    "boundingboxe": "tags",
}
"""Words that others use, without their s: a guess where something is missing,
never a mistake by themselves.
"""


@lru_cache(maxsize=4096)
def meant(name: str) -> str | None:
    """The known name of which this is another spelling; None where it is none, or is a known name itself.

    Letter case, full width, the plural, invisible characters and all that is neither letter nor digit do not
    count.
    """
    if len(name) > LONGEST or name in KNOWN:
        return None
    return _MEANT.get(_bare(name))


def misnamed(names: Collection[str]) -> tuple[tuple[str, str], ...]:
    """Which of a row's names are another spelling of a known name that it lacks, each with that name.

    Where the known name stands there too, or for an id another id column, the other is a column of the
    user's. A row without ``image_url`` is wrong already, whatever else it has.
    """
    return tuple(
        (name, known)
        for name in names
        if (known := meant(name)) and known != IMAGE_URL and not _there(known, names)
    )


def guess(known: str, names: Iterable[str]) -> str | None:
    """The name in a row without ``known`` that may be meant for it; None where there is none."""
    return next((name for name in names if known in (meant(name), _other_word(name))), None)


def _other_word(name: str) -> str | None:
    return None if len(name) > LONGEST else _OTHER_WORDS.get(_bare(name).removesuffix("s"))


def _bare(name: str) -> str:
    """A name as it is compared: its letters and digits alone."""
    plain = normalize("NFKC", name).casefold()
    return "".join(letter for letter in plain if letter.isalnum() and letter not in _FILLERS)


def _there(known: str, names: Collection[str]) -> bool:
    return any(one in names for one in ID_NAMES) if known in ID_NAMES else known in names
