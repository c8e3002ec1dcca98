r"""Text as a terminal may get it: nothing in it that a terminal obeys, or that reorders what people read.

Ids, URLs and messages come from others. What must not reach a terminal is written as JSON writes it
(``\u001b``), so that JSON which passes here is the same JSON still.
"""

import codecs
import re
from typing import Final

_OTHERS: Final = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # what terminals obey: C0 but for newline and tab, DEL, C1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # Unicode's property Bidi_Control
    "\u2028\u2029"  # other ends of a line
    "\ud800-\udfff"  # halves of a character, which no encoding has
)
_OBEYED: Final = re.compile(f"[{_OTHERS}]")
_NO_CELL: Final = re.compile(f"[\n\t{_OTHERS}]")
_IN_UTF8: Final = tuple(
    re.compile(found)
    for found in (rb"\xc2[\x80-\x9f]", rb"\xd8\x9c", rb"\xe2\x80[\x8e\x8f\xa8-\xae]", rb"\xe2\x81[\xa6-\xa9]")
)
"""The same beyond ASCII, but for halves, which UTF-8 does not have.

One by one, since each begins with bytes that are found fast.
"""


def printable(text: str) -> str:
    """The same text with every such character escaped; newlines and tabs stay."""
    return _OBEYED.sub(_escaped, text)


def cell(text: str) -> str:
    """The same for what must stay on one line, and in one column: newlines and tabs are escaped, too."""
    return _NO_CELL.sub(_escaped, text)


def encoded(text: str, encoding: str) -> bytes:
    """Printable text as the bytes of an encoding;
    characters that it does not have are escaped in the same way.
    """
    return printable(text).encode(encoding, _HANDLER)


def encoded_json(value: bytes, encoding: str) -> bytes:
    """JSON in UTF-8, as `encoded` would have it: the same value. It may be gigabytes, line by line."""
    if encoding != "utf-8" or b"\x7f" in value or not (value.isascii() or _is_harmless(value)):
        return encoded(value.decode(), encoding)
    return value


def _is_harmless(value: bytes) -> bool:
    return not any(found.search(value) for found in _IN_UTF8)


def _escaped(found: "re.Match[str]") -> str:
    return f"\\u{ord(found[0]):04x}"


def _unencodable(error: UnicodeError) -> tuple[str, int]:
    """The escapes of what an encoding does not have;
    beyond the first 65,536 characters JSON takes two for one.
    """
    assert isinstance(error, UnicodeEncodeError)
    units = error.object[error.start : error.end].encode("utf-16-be")
    return "".join(f"\\u{units[n : n + 2].hex()}" for n in range(0, len(units), 2)), error.end


_HANDLER: Final = "mwbatch-escape"
codecs.register_error(_HANDLER, _unencodable)
