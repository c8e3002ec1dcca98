"""Sentences in the language of a program: the rules name options as the command line has them,
and here they become keywords.
"""

import re
from typing import Final

_COMMAND: Final = re.compile(r"mwbatch [a-z].*?(?=[;,)\n]|: |$)", re.DOTALL)
"""A command to be typed, up to where the sentence goes on: it stays as it is."""

_OPTION: Final = re.compile(r"--([a-z]+(?:-[a-z]+)*)(?: ([A-Z][A-Z_]+|none\b|[\d.]*\d\b))?")
"""An option, with the value that it is to have, where one is named."""

_VARIABLE: Final = re.compile(r" \(or MWBATCH_[A-Z_]+\)")
"""A variable that stands for an option: the command line reads it, and a keyword does not."""

_WAY: Final = re.compile(r"(?<=  )(?:--again \S+ )+(?= *#)")
"""A line that names a way on, behind its indentation."""

KEYWORDS: Final = {
    "id": "ids",
    "ids-from": "ids",
    "brand": "brands",
    "option": "options",
    "for": "most",
    "home": "path",
}
"""Options whose keyword is called otherwise: several words are one list, and for is a word of Python."""

_FLAGS: Final = frozenset(
    (
        "add",
        "against-api",
        "all",
        "allow-duplicates",
        "check-images",
        "dry-run",
        "follow",
        "force",
        "keep-going",
        "leave-out-unsized",
        "measure-images",
        "offline",
        "only-new",
        "raw",
        "require-complete",
        "single-option",
        "skip-invalid",
        "trust-folder",
        "unproved",
        "wait",
        "watch",
        "yes",
    )
)


def in_python(text: str) -> str:
    """A sentence with keywords for options; a whole command stays one."""
    text = _WAY.sub(lambda way: f"again={way.group().split()[1::2]} ", _VARIABLE.sub("", text))
    parts, end = list[str](), 0
    for command in _COMMAND.finditer(text):
        parts += [_OPTION.sub(_keyword, text[end : command.start()]), command.group()]
        end = command.end()
    return "".join((*parts, _OPTION.sub(_keyword, text[end:])))


def keyword(option: str) -> str:
    """The keyword for an option, which is given without its hyphens at the beginning."""
    return KEYWORDS.get(option, option.replace("-", "_"))


def _keyword(match: re.Match[str]) -> str:
    option, value = match.groups()
    if option in _FLAGS:
        return f"{keyword(option)}=True"
    if value is None:
        return f"{keyword(option)}="
    return f"{keyword(option)}={'…' if value.isupper() else repr(value) if value == 'none' else value}"
