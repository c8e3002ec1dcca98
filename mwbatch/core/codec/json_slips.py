"""What was done to a text that should be JSON, told by how it looks:
as a hint behind the parser's own complaint.
"""

import re
from typing import Final

CELL: Final = 32_767
"""The most characters that a spreadsheet keeps of a cell; it cuts off the rest without a word."""

CUT: Final = (
    f"has {CELL:,} characters, the most that a spreadsheet keeps of a cell: what followed was cut off"
)

_TYPOGRAPHIC: Final = re.compile("[\u201c\u201d\u201e\u00ab\u00bb]").search
_PYTHON: Final = re.compile(r"[\[{,:]\s*(?:'|(?:None|True|False)\b)").search


def slip(text: str) -> str:
    """How a text came to be no JSON, and what to do, in brackets; empty where nobody can tell."""
    if len(text) == CELL:
        return f" (it {CUT}: take it from where it came, not from the spreadsheet)"
    if _TYPOGRAPHIC(text):
        return ' (it has typographic quotes, as word processors make them: write plain ones, ")'
    if _PYTHON(text):
        return " (this is how Python prints a value: write it with json.dumps)"
    return ""
