"""What stands in a string and is no text: NUL, bytes that are not UTF-8, half a character."""

import re
from typing import Final

_NO_TEXT: Final = re.compile("[\0\ud800-\udfff]").search


def foreign(value: object) -> str:
    """Say what in a value, names of objects included, is no text and could never be sent;
    empty if all of it is.
    """
    bad = _NO_TEXT(_flat(value))
    return _named(bad[0]) if bad else ""


def _flat(value: object) -> str:
    """All the text in a value."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return "".join(map(_flat, [*value, *value.values()]))
    return "".join(map(_flat, value)) if isinstance(value, list) else ""


def _named(bad: str) -> str:
    code = ord(bad)
    if not code:
        return "holds a NUL character (remove it)"
    if 0xDC80 <= code <= 0xDCFF:
        return f"is not UTF-8: byte 0x{code - 0xDC00:02x} (save the file as UTF-8)"
    return f"holds half a character, the lone surrogate \\u{code:04x} (remove it)"
