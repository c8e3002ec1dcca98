r"""Facts as lines of a segment: written, proved by a checksum, and read back. `plain` takes what it can out of them unread.

A line is JSON with the version first and a CRC-32 last, which covers every byte before ``,"crc":``::

    {"v":1,"fact":"failed","at":1700000000.0,"row":7,"attempt":1, … ,"crc":"89abcdef"}\n

A version or a kind that is not known is refused, never guessed.
"""

from collections.abc import Callable
from inspect import signature
from types import UnionType
from typing import Any, Final, get_args, get_origin
from zlib import crc32

from mwbatch.core.facts import KINDS, NAMES, Fact, Planned, Seen
from mwbatch.core.text import BadJson, Json, decode_object, encode

VERSION: Final = 1
"""The version of the format that this code writes, and the only one that it reads."""


class BadLine(ValueError):
    """A line that is not a whole, undamaged fact of this version."""


class UnknownFact(BadLine):
    """A line that is undamaged and that this version cannot understand; ignoring it could cost money."""


_SEEN: Final = b'{"v":1,"fact":"seen",'
_BODY: Final = b',"body":'
_TAIL: Final = len(b',"crc":"89abcdef"}')
_ONE_LINE: Final = bytes.maketrans(b"\n\r\t", b"   ")
_FIELDS: Final = {
    name: [field for field in signature(kind).parameters.values() if field.name != "body"]
    for name, kind in KINDS.items()
}
"""The fields of each kind that are written as JSON, with their defaults and types."""


def _types(hint: object) -> set[object]:
    """What a field may be when it was read; a whole number will do for a float."""
    types = {get_origin(one) or one for one in (get_args(hint) if isinstance(hint, UnionType) else (hint,))}
    return types | {int} if float in types else types


_TYPES: Final = {
    name: frozenset((field.name, one) for field in fields for one in _types(field.annotation))
    for name, fields in _FIELDS.items()
}
"""For each kind every pair of a field and a type that it may have."""

_PLAN: Final = ("v", "fact", *Planned._fields[:-1])
_PLAN_TYPES: Final = [int, str, float, int, str, int, str, dict, dict]
"""The names and types of all that stands in the line of a plan, but for an edition."""

_WHOLE: Final = {
    name: [field.name for field in fields if int in _types(field.annotation) and field.name != "at"]
    for name, fields in _FIELDS.items()
}
"""The fields of each kind that count something, and so are never negative. ``at`` is not: no rule looks at it."""


def line(fact: Fact) -> bytes:
    """Write one fact as one line, newline included. Fields at their default are left out."""
    head = encode(_RECORDS.get(type(fact), _record)(fact))[:-1]
    if isinstance(fact, Seen) and fact.body is not None:
        head = b"%b%b%b" % (head, _BODY, _one_line(fact.body))
    return sealed(head)


def sealed(head: bytes) -> bytes:
    """End a line with its checksum; ``head`` is JSON without its last brace."""
    return b'%b,"crc":"%08x"}\n' % (head, crc32(head))


def _record(fact: Fact) -> dict[str, Json]:
    """A fact as the object that is written; a body is none of its fields."""
    name = NAMES[type(fact)]
    record: dict[str, Json] = {"v": VERSION, "fact": name}
    for field in _FIELDS[name]:
        if (value := getattr(fact, field.name)) != field.default:
            record[field.name] = value
    return record


def _planned_record(planned: Planned) -> dict[str, Json]:
    """The same, several times as fast: there is one for every row."""
    record: dict[str, Json] = {
        "v": VERSION,
        "fact": "planned",
        "at": planned.at,
        "row": planned.row,
        "id": planned.id,
        "line": planned.line,
        "type": planned.type,
        "request": planned.request,
        "columns": planned.columns,
    }
    if planned.edition:
        record["edition"] = planned.edition
    return record


def _seen_record(seen: Seen) -> dict[str, Json]:
    """And for every create, and for every callback."""
    record: dict[str, Json] = {
        "v": VERSION,
        "fact": "seen",
        "at": seen.at,
        "row": seen.row,
        "attempt": seen.attempt,
        "task_id": seen.task_id,
        "status": seen.status,
        "via": seen.via,
    }
    if seen.created_at is not None:
        record["created_at"] = seen.created_at
    if seen.completed_at is not None:
        record["completed_at"] = seen.completed_at
    if seen.answer is not None:
        record["answer"] = seen.answer
    if seen.sha256 is not None:
        record["sha256"] = seen.sha256
    return record


_RECORDS: Final[dict[Any, Callable[[Any], dict[str, Json]]]] = {Planned: _planned_record, Seen: _seen_record}


def _one_line(body: bytes) -> bytes:
    """Strictly parsed JSON holds raw newlines and tabs only between its tokens: spaces say the same."""
    return body.translate(_ONE_LINE) if b"\n" in body or b"\r" in body or b"\t" in body else body


def parse(text: bytes) -> Fact:
    """Read one line, without its newline, back into the fact that it was.

    Raises:
        BadLine: the checksum is wrong, or the line is not a JSON object.
        UnknownFact: the version, the kind, a field or its type is not one of ours.
    """
    head = checked(text)
    head, cut, body = head.partition(_BODY) if text.startswith(_SEEN) else (head, b"", b"")
    try:
        record = decode_object(head + b"}")
    except BadJson as error:
        raise BadLine(str(error)) from None
    if (planned := _planned(record)) is not None:
        return planned
    version, kind = record.pop("v", None), record.pop("fact", None)
    if type(version) is not int or version != VERSION or not isinstance(kind, str) or kind not in KINDS:
        raise UnknownFact(
            f"a fact {kind!r} of format version {version!r}; use the mwbatch that wrote it, or a newer one"
        )
    try:
        if kind == "started":
            record["rows"] = tuple(_range(first, end) for first, end in record["rows"])
            record["editions"] = tuple(_range(row, edition) for row, edition in record.get("editions", ()))
        elif kind == "planned":
            record.setdefault("columns", {})
        _check(kind, record)
        return KINDS[kind](**record, **({"body": body} if cut else {}))
    except (KeyError, TypeError, ValueError) as error:
        raise UnknownFact(f"a fact {kind!r} with other fields: {error}") from None


def _planned(record: dict[str, Json]) -> Planned | None:
    """A plan as nearly all are, for which nothing is looked at by itself: there is one for every create. None for any other line."""
    if len(record) != len(_PLAN):
        return None
    there: list[Json] = list(map(record.get, _PLAN))
    version, kind, *fields = there
    if list(map(type, there)) != _PLAN_TYPES or kind != "planned" or version != VERSION:
        return None
    planned = Planned(*fields)
    return planned if planned.row >= 0 and planned.line >= 0 else None


def _check(kind: str, record: dict[str, Json]) -> None:
    """Raise TypeError for a field that the fold could not rely on."""
    types = _TYPES[kind]
    if not types.issuperset(zip(record, map(type, record.values()), strict=True)):
        name = next(name for name, value in record.items() if (name, type(value)) not in types)
        # MUST NOT be quoted where it is not ours: who knows what a newer version keeps there.
        if all(name != ours for ours, _ in types):
            raise TypeError(f"{name} is unknown")
        raise TypeError(f"{name} cannot be {record[name]!r:.40}")
    if min(filter(None, map(record.get, _WHOLE[kind])), default=0) < 0:
        name = next(name for name in _WHOLE[kind] if (record.get(name) or 0) < 0)
        raise TypeError(f"{name} cannot be {record[name]}")


def _range(first: Json, end: Json) -> tuple[int, int]:
    if type(first) is type(end) is int and first >= 0 and end >= 0:
        return first, end
    raise TypeError("rows are numbered from 0")


def checked(text: bytes) -> bytes:
    """Return the part of a line that its checksum covers; raises `BadLine` where the two disagree."""
    head = text[:-_TAIL]
    if not text.endswith(b',"crc":"%08x"}' % crc32(head)):
        raise BadLine("checksum does not match")
    return head
