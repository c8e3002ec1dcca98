"""What a new batch may be called, so that its folder can be copied to any disk.

Old batches keep their names, whatever they are.
"""

import re
from collections.abc import Iterable
from typing import Final
from unicodedata import combining, normalize

_DEVICE: Final = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)

_LETTERS: Final = str.maketrans(
    {
        "ä": "ae",
        "ö": "oe",
        "ü": "ue",
        "Ä": "Ae",
        "Ö": "Oe",
        "Ü": "Ue",
        "ß": "ss",
        "ẞ": "SS",
        "æ": "ae",
        "Æ": "Ae",
    }
    | {"ø": "o", "Ø": "O", "œ": "oe", "Œ": "Oe", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D"}
    | {"þ": "th", "Þ": "Th", "\u0131": "i"}
)
"""Letters of the Latin script that are no letter with a mark, as Unicode has it,
or that are written otherwise without theirs.
"""


def in_ascii(text: str) -> str:
    """A text as people write it who have the letters of ASCII only;
    letters of other scripts stay as they are.
    """
    plain = normalize("NFKD", normalize("NFC", text).translate(_LETTERS))
    return "".join(letter for letter in plain if not combining(letter))


def is_reserved(name: str, taken: Iterable[str]) -> bool:
    """Whether a home keeps a name for itself (``taken``), in any letter case, or some system does:
    for a device, or without its last dot.
    """
    return name.casefold() in taken or name.endswith(".") or bool(_DEVICE.fullmatch(name))


def unreserved(name: str) -> str:
    """A name like this one that nobody keeps for himself."""
    return f"{name.rstrip('.').replace('.', '-')}-batch"


def wrong_with(name: str, taken: Iterable[str], there: Iterable[str]) -> str:
    """Why a new batch may not have a name, beside the names that are there; empty where it may."""
    if is_reserved(name, taken):
        return (
            f"a new batch cannot be named {name!r}: some systems keep that name for themselves, or take it "
            f"for another; choose one: --batch {unreserved(name)}"
        )
    for other in there:
        if other != name and other.casefold() == name.casefold():
            return (
                f"a new batch cannot be named {name!r}: there is {other!r}, and some disks know no "
                f"difference of letter case; name that one, or choose another: --batch {name}-2"
            )
    return ""
