r"""The one JSON door: strict on the way in, plain on the way out.

orjson reads and writes; what it refuses although it is valid JSON (a lone surrogate such as ``"\ud83d"``, an
integer beyond 64 bits on writing) goes through the standard library under the same limits.

What a value is, is asked at the door, too: one look, and from then on its type is known. Where a field must
be there, KeyError says that it is not; where it must be of one kind, TypeError that it is another. A bool is
never a number, and JSON makes no classes of its own, so that no kind stands for one derived from it.
"""

import json
from collections.abc import Mapping
from math import isinf
from typing import Final, NoReturn, TypeGuard, TypeVar

import orjson

T = TypeVar("T")

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
"""A JSON value as it was read: nothing is known of its shape until
somebody has looked. What is written may be any object
that JSON can say, so that mappings and tuples serve too."""

Raw = orjson.Fragment
"""Bytes that are JSON already and are written as they stand."""

MAX_NESTING: Final = 64
"""How deep arrays and objects may lie inside each other; RFC 8259 section 9 lets a parser set this."""

_NO_OPENING: Final = bytes(set(range(256)) - set(b"[{"))
_NO_MARK: Final = bytes(set(range(256)) - set(b'[]{}"'))

_SURELY_SHALLOW: Final = MAX_NESTING // 4
"""How often pairs of brackets are taken out of a text; each time at most two levels go."""


class BadJson(ValueError):
    """These bytes are not JSON that we take; the message says why, in a few words."""


def encode(value: object) -> bytes:
    """Write ``value`` as compact UTF-8 JSON; values of type ``Raw`` stand as they are."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return _encode_slowly(value).encode("utf-8")


def indented(value: object) -> str:
    """Write ``value``, without anything ``Raw`` in it, as JSON for people: two spaces a level."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def as_bytes(text: str) -> bytes:
    """A text in UTF-8, be there a lone surrogate in it: ids come from others."""
    return text.encode("utf-8", "surrogatepass")


def canonical(value: object) -> bytes:
    """Write ``value`` so that two values differ only if their JSON says something different (keys sorted)."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def is_plain(value: object) -> bool:
    """Whether orjson can write it: there is surely no half of a character (a lone surrogate) in it."""
    try:
        orjson.dumps(value)
    except TypeError:
        return False
    return True


def decode(raw: bytes) -> Json:
    """Read one JSON value from UTF-8 bytes.

    Raises:
        BadJson: not UTF-8, not JSON, NaN or Infinity (``1e999`` too), or nested deeper than ``MAX_NESTING``.
    """
    try:
        value: Json = orjson.loads(raw)
    except orjson.JSONDecodeError:
        value = _decode_slowly(raw)
    if len(raw.translate(None, _NO_OPENING)) > MAX_NESTING and not _is_shallow(raw) and _too_deep(value):
        raise BadJson(f"nested deeper than {MAX_NESTING}")
    return value


def decode_object(raw: bytes) -> dict[str, Json]:
    """Read one JSON object; raises `BadJson` for anything else."""
    value = decode(raw)
    if not isinstance(value, dict):
        raise BadJson("not a JSON object")
    return value


def _encode_slowly(value: object) -> str:
    """Write what orjson refuses. A ``Raw`` must not be read again, so containers are walked by hand."""
    if isinstance(value, Raw):
        return orjson.dumps(value).decode("utf-8")
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_name(key)}:{_encode_slowly(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_encode_slowly, value)) + "]"
    return json.dumps(value)


def _name(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"JSON names are strings, not {type(key).__name__}")
    return json.dumps(key)


def _decode_slowly(raw: bytes) -> Json:
    try:
        value: Json = json.loads(raw.decode("utf-8"), parse_constant=_no_constant, parse_float=_finite)
    except RecursionError:
        raise BadJson(f"nested deeper than {MAX_NESTING}") from None
    except UnicodeDecodeError:
        raise BadJson("not UTF-8") from None
    except ValueError as error:
        raise BadJson(f"not JSON: {error}") from None
    return value


def _no_constant(name: str) -> NoReturn:
    raise BadJson(f"{name} is not JSON")


def _finite(number: str) -> float:
    """A float, as orjson would have it: ``1e999`` is Infinity under another name."""
    if isinf(value := float(number)):
        raise BadJson("a number beyond what a double can hold")
    return value


def _is_shallow(raw: bytes) -> bool:
    """Whether the text of a value shows that nothing lies too deep in it;
    three times as fast as to look at the value.

    Only for JSON. Strings without brackets are two quotes side by side once all else is gone; a quote that is
    left, or an escape, may be of a string that holds brackets, so nothing is sure then.
    """
    if b"\\" in raw:
        return False
    marks = raw.translate(None, _NO_MARK).replace(b'""', b"")
    for _ in range(_SURELY_SHALLOW):
        marks = marks.replace(b"[]", b"").replace(b"{}", b"")
        if not marks:
            return True
    return False


def _too_deep(value: Json) -> bool:
    """Whether containers lie deeper than the limit; level by level, so that no depth can hurt us."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_NESTING):
        if not level:
            return False
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    return bool(level)


def is_count(value: Json) -> TypeGuard[int]:
    """Whether it is a whole number from 0."""
    return type(value) is int and value >= 0


def of_kind(value: Json, kind: type[T], name: str) -> T:
    """The value, which has a ``name``, if it is of one kind."""
    if isinstance(value, kind) and type(value) is kind:
        return value
    raise TypeError(f"{name} cannot be {value!r:.40}")


def field(record: Mapping[str, Json], name: str, kind: type[T]) -> T:
    """What stands under a name."""
    return of_kind(record[name], kind, name)


def maybe(record: Mapping[str, Json], name: str, kind: type[T]) -> T | None:
    """What stands under a name; None where nothing does, or null."""
    value = record.get(name)
    return None if value is None else of_kind(value, kind, name)


def number(record: Mapping[str, Json], name: str) -> float:
    """A number, whole or not."""
    value = record[name]
    return value if type(value) is int else of_kind(value, float, name)


def each(record: Mapping[str, Json], name: str, kind: type[T]) -> tuple[T, ...]:
    """A list of one kind; empty where none stands there."""
    return tuple(of_kind(one, kind, name) for one in maybe(record, name, list) or ())


def table(record: Mapping[str, Json], name: str) -> dict[str, Json]:
    """An object; empty where none stands there."""
    return maybe(record, name, dict) or {}


def objects(value: Json) -> list[dict[str, Json]] | None:
    """A list of objects; None where it is anything else."""
    if not isinstance(value, list):
        return None
    there = [one for one in value if isinstance(one, dict)]
    return there if len(there) == len(value) else None


def texts(value: Json) -> list[str] | None:
    """A list of texts; None where it is anything else."""
    if not isinstance(value, list):
        return None
    there = [one for one in value if isinstance(one, str)]
    return there if len(there) == len(value) else None
