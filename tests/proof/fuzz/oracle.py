"""A second opinion on JSON: the grammar of RFC 8259, read token by token,
sharing nothing with the code that it judges.
"""

import json
import re
from typing import Final

from mwbatch.core.codec.json_codec import Json

DEEPEST: Final = 64
"""How deep the receiver says that it reads."""

_TOKEN: Final = re.compile(
    r'(?P<text>"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")'
    r"|(?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)"
    r"|(?P<word>true|false|null)"
    r"|(?P<sign>[\[\]{},:])"
    r"|(?P<space>[ \t\n\r]+)"
)
_VALUE, _FIRST_VALUE, _FIRST_KEY, _KEY, _COLON, _AFTER = range(6)
_FOREIGN_NUMBERS: Final = re.compile(r"[0-9]{20}|[eE][-+]?[0-9]{3}")


def is_json(raw: bytes) -> bool:
    """Whether these bytes are one JSON value in strict UTF-8, nested no deeper than `DEEPEST`."""
    try:
        text = raw.decode("utf-8", "strict")
    except UnicodeDecodeError:
        return False
    open_: list[str] = []
    expects, place = _VALUE, 0
    while place < len(text):
        token = _TOKEN.match(text, place)
        if token is None:
            return False
        place = token.end()
        if token.lastgroup == "space":
            continue
        follows = _follows(expects, token.lastgroup or "", token[0], open_)
        if follows is None or len(open_) > DEEPEST:
            return False
        expects = follows
    return expects == _AFTER and not open_


def _follows(expects: int, group: str, token: str, open_: list[str]) -> int | None:
    """What may follow a token; None where the token itself may not stand."""
    if expects in (_VALUE, _FIRST_VALUE) and (group != "sign" or token in "[{"):
        if group == "sign":
            open_.append(token)
            return _FIRST_VALUE if token == "[" else _FIRST_KEY
        return _AFTER
    if expects in (_KEY, _FIRST_KEY) and group == "text":
        return _COLON
    if expects == _COLON:
        return _VALUE if token == ":" else None
    if (expects == _AFTER or (expects, token) in {(_FIRST_VALUE, "]"), (_FIRST_KEY, "}")}) and open_:
        return _between(token, open_, again=expects == _AFTER)
    return None


def _between(token: str, open_: list[str], *, again: bool) -> int | None:
    if token == "," and again:
        return _VALUE if open_[-1] == "[" else _KEY
    if token == {"[": "]", "{": "}"}[open_[-1]]:
        open_.pop()
        return _AFTER
    return None


def has_odd_numbers(raw: bytes) -> bool:
    """Whether there may be numbers that a double cannot hold exactly or at all: there parsers may differ."""
    return bool(_FOREIGN_NUMBERS.search(raw.decode("utf-8", "replace")))


def value_of(raw: bytes) -> Json:
    """What JSON text says, by the standard library."""
    value: Json = json.loads(raw.decode("utf-8"))
    return value
