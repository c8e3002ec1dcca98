"""What a JSON value is, asked at the door: one look, and from then on its type is known.

Where a field must be there, KeyError says that it is not; where it must be of one kind, TypeError that it is
another. A bool is never a number, and JSON makes no classes of its own, so that no kind stands for one
derived from it.
"""

from collections.abc import Mapping
from typing import TypeGuard, TypeVar

from mwbatch.core.text import Json

T = TypeVar("T")


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
