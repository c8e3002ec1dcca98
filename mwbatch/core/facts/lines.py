r"""The lines of a segment: how a fact is written, proved and read again; `glances` looks at them unread.

A line is JSON with the version first and a CRC-32 last, which covers every byte before ``,"crc":``::

    {"v":1,"fact":"failed","at":1700000000.0,"row":7,"attempt":1, … ,"crc":"89abcdef"}\n

A version or a kind that is not known is refused, never guessed. A field at its default is left out. The body
of an answer stands last, as it came: it is neither parsed nor written anew.

Why not msgspec (0.23, well kept), which makes, checks, writes and reads such classes by itself? Tried: it
reads a showing in 1.0 µs in place of 4.4, and writes it in 0.9 in place of 2.0, of some 90 that a row of
results takes and 150 that a create does. But it spells numbers otherwise (1e16, what is beyond 64 bits), so
that files would not stay as they are; half a character (a lone surrogate) and the limit of nesting need the
way through `text` beside it; it adds 5 to 12 ms to each start; and most lines are not read at all, but looked
at.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import EnumType
from inspect import signature
from itertools import product
from operator import attrgetter, itemgetter
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin, is_typeddict
from zlib import crc32

from mwbatch.core.codec.json_codec import BadJson, Json, decode_object, encode, is_count
from mwbatch.core.facts.kinds import KINDS, NAMES, Fact, Planned, Seen

VERSION: Final = 1
"""The version of the format that this code writes, and the only one that it reads."""

BODY: Final = b',"body":'
"""What stands before the body of an answer."""

_SEAL: Final = b',"crc":"%08x"}'
_SEALED: Final = b"%b" + _SEAL + b"\n"
_TAIL: Final = len(_SEAL % 0)
_ONE_LINE: Final = bytes.maketrans(b"\n\r\t", b"   ")


class BadLine(ValueError):
    """A line that is not a whole, undamaged fact of this version."""


class UnknownFact(BadLine):
    """A line that is undamaged and that this version cannot understand; ignoring it could cost money."""


def line(fact: Fact) -> bytes:
    """Write one fact as one line, newline included."""
    head = encode(_SHAPES[type(fact)].write(fact))[:-1]
    if isinstance(fact, Seen) and fact.body is not None:
        head = b"%b%b%b" % (head, BODY, _on_one_line(fact.body))
    return _sealed(head)


def parse(text: bytes) -> Fact:
    """Read one line, without its newline, back into the fact that it was.

    Raises:
        BadLine: the checksum is wrong, or the line is not a JSON object.
        UnknownFact: the version, the kind, a field or its type is not one of ours.
    """
    head, cut, body = checked(text), b"", b""
    if head.startswith(_SEEN):
        head, cut, body = head.partition(BODY)  # no string before it has these bytes: its quotes are escaped
    record = _record(head)
    version, name = record.pop("v", None), record.pop("fact", None)
    if type(version) is not int or version != VERSION or not isinstance(name, str) or name not in KINDS:
        raise UnknownFact(
            f"a fact {name!r} of format version {version!r}; use the mwbatch that wrote it, or a newer one"
        )
    try:
        return _SHAPES[KINDS[name]].read(record, [body] if cut else [])
    except (TypeError, ValueError) as error:
        raise UnknownFact(f"a fact {name!r} with other fields: {error}") from None


def beginning(kind: Callable[..., Fact]) -> bytes:
    """How every line of a kind of fact begins that this code wrote."""
    return b'{"v":%d,"fact":%b,' % (VERSION, encode(NAMES[kind]))


def sealed(record: Mapping[str, object]) -> bytes:
    """Write any record as a line with a checksum, newline included: what is no fact, but is kept like one."""
    return _sealed(encode(record)[:-1])


def unsealed(text: bytes) -> dict[str, Json]:
    """Read such a record from its line, without the newline; raises `BadLine` for anything else."""
    return _record(checked(text))


def checked(text: bytes) -> bytes:
    """Return the part of a line that its checksum covers; raises `BadLine` where the two disagree."""
    head = text[:-_TAIL]
    if not text.endswith(_SEAL % crc32(head)):
        raise BadLine("checksum does not match")
    return head


def _sealed(head: bytes) -> bytes:
    """End a line; ``head`` is JSON without its last brace."""
    return _SEALED % (head, crc32(head))


def _record(head: bytes) -> dict[str, Json]:
    try:
        return decode_object(head + b"}")
    except BadJson as error:
        raise BadLine(str(error)) from None


def _on_one_line(body: bytes) -> bytes:
    """Strictly parsed JSON holds raw newlines and tabs only between its tokens: spaces say the same."""
    return body.translate(_ONE_LINE) if b"\n" in body or b"\r" in body or b"\t" in body else body


class _Shape:
    """How one kind of fact stands in a line: its fields but for a body, in their order, and what each may be.

    ``rows`` has every row of types that the fields may have together: one look in place of one a field.
    ``counts`` finds those that count something, and so are never negative; ``at`` may be, as no rule looks at
    it. ``pairs`` are those that hold pairs of numbers, ``words`` where members of
    an enum stand, by how they are spelled.
    """

    def __init__(self, name: str, kind: Callable[..., Fact]) -> None:
        there = [field for field in signature(kind).parameters.values() if field.name != "body"]
        self.name, self.make = name, kind
        self.fields = tuple(field.name for field in there)
        self.names = ("v", "fact", *self.fields)
        self.known = frozenset(self.fields)
        self.defaults = tuple(field.default for field in there)
        self.optional = [(field.name, field.default) for field in there if field.default is not field.empty]
        self.types = [_types(field.annotation) for field in there]
        self.rows = frozenset(product(*self.types))
        self.counts = itemgetter(*(n for n, types in enumerate(self.types) if _is_count(types)))
        self.words = [(n, found) for n, field in enumerate(there) if (found := _words(field.annotation))]
        self.pairs = {name for name, types in zip(self.fields, self.types, strict=True) if tuple in types}
        # A tuple is its own list of values, up to its body: MUST be the last of its fields.
        is_tuple = isinstance(kind, type) and issubclass(kind, tuple)
        self.values: Callable[[Any], Iterable[Json]] = iter if is_tuple else attrgetter(*self.fields)

    def write(self, fact: Fact) -> dict[str, Json]:
        """The record of a fact: its fields that are not at their defaults, a body left out.

        It takes 1.1 µs, where one unrolled by hand for each kind takes 0.4, of some 150 that a create does.
        """
        values = (VERSION, self.name, *self.values(fact))
        record: dict[str, Json] = dict(zip(self.names, values, strict=False))
        for field, default in self.optional:
            if record[field] == default:
                del record[field]
        return record

    def read(self, record: dict[str, Json], body: list[bytes]) -> Fact:
        """Make a fact of the fields in a line; raises TypeError or ValueError where it is none of ours."""
        if self.make is Planned:
            record.setdefault("columns", {})
        there: Mapping[str, object] = record
        if self.pairs:
            there = {**record, **{field: _pairs(record[field]) for field in self.pairs & record.keys()}}
        values: list[object] = [*map(there.get, self.fields, self.defaults)]
        if (
            tuple(map(type, values)) not in self.rows
            or not there.keys() <= self.known
            or min(filter(None, self.counts(values)), default=0) < 0
        ):
            raise TypeError(self._wrong(there))
        for n, words in self.words:
            values[n] = words.get(values[n], values[n])
        return self.make(*values, *body)

    def _wrong(self, record: Mapping[str, object]) -> str:
        """What is wrong with the fields of a line."""
        for name, value in record.items():
            # MUST NOT be quoted where it is not ours: who knows what a newer version keeps there.
            if name not in self.known:
                return f"{name} is unknown"
            types = self.types[self.fields.index(name)]
            if type(value) not in types or (_is_count(types) and isinstance(value, int) and value < 0):
                return f"{name} cannot be {value!r:.40}"
        needed = (name for name in self.fields if name not in dict(self.optional))
        return f"{next(name for name in needed if name not in record)} is missing"


def _types(hint: object) -> set[object]:
    """What a field may be when it was read; a whole number will do for a float."""
    types = set(map(_type, _kinds(hint)))
    return types | {int} if float in types else types


def _type(hint: object) -> object:
    if isinstance(hint, EnumType):
        return str
    return dict if is_typeddict(hint) else get_origin(hint) or getattr(hint, "__supertype__", hint)


def _words(hint: object) -> dict[object, object]:
    """The members of which a field may be one, by how they are spelled."""
    kinds: list[Iterable[object]] = [kind for kind in _kinds(hint) if isinstance(kind, EnumType)]
    return {str(word): word for kind in kinds for word in kind}


def _kinds(hint: object) -> tuple[object, ...]:
    return get_args(hint) if get_origin(hint) in (UnionType, Union) else (hint,)


def _is_count(types: set[object]) -> bool:
    return int in types and float not in types


def _pairs(value: Json) -> tuple[tuple[int, int], ...]:
    if not isinstance(value, list):
        raise TypeError("rows stand in a list")
    return tuple(map(_pair, value))


def _pair(value: Json) -> tuple[int, int]:
    first, second = value if isinstance(value, list) else (None, None)
    if is_count(first) and is_count(second):
        return first, second
    raise TypeError("rows are numbered from 0")


_SHAPES: Final[dict[Any, _Shape]] = {kind: _Shape(name, kind) for name, kind in KINDS.items()}
_SEEN: Final = beginning(Seen)
