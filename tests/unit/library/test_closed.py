"""The public names close over themselves: whoever annotates his program finds every type in `mwbatch`."""

import inspect
from collections.abc import Iterator
from types import FunctionType
from typing import Any, get_args, get_origin, get_type_hints

import pytest

import mwbatch
from mwbatch import errors

PUBLIC = {name: getattr(mwbatch, name) for name in mwbatch.__all__ if name != "errors"}

FOREIGN = {"pyarrow", "web"}
"""Modules of others that are imported for annotations alone."""

MADE = {mwbatch.Client, mwbatch.Home}
"""What users make themselves: all else they are given."""


class Names(dict[str, Any]):
    """What an annotation may name; of a module that is imported for annotations alone, no more than that."""

    def __missing__(self, name: str) -> Any:
        if name in FOREIGN:
            return Unloaded()
        if name in mwbatch.__all__:
            return getattr(mwbatch, name)
        raise KeyError(name)


class Unloaded:
    """A foreign module that is named in an annotation alone."""

    def __getattr__(self, name: str) -> type:
        return type(name, (), {"__module__": "foreign"})


def hints(of: Any) -> dict[str, Any]:
    """The annotations of a function or a class."""
    there = vars(inspect.getmodule(of)) if inspect.getmodule(of) else {}
    return get_type_hints(of, there, Names(there))


def named(annotation: Any) -> Iterator[Any]:
    """Every class of mwbatch in an annotation."""
    if isinstance(annotation, type) and annotation.__module__.startswith("mwbatch"):
        yield annotation
    for part in get_args(annotation):
        yield from named(part)
    for part in annotation if isinstance(annotation, list) else ():
        yield from named(part)
    if (origin := get_origin(annotation)) is not None:
        yield from named(origin)


def said(thing: Any) -> Iterator[Any]:
    """The annotations of what is public about a class or a function: of a value its fields and properties,
    of what acts its methods, too.
    """
    if isinstance(thing, FunctionType):
        yield from hints(thing).values()
        return
    if not isinstance(thing, type):
        return
    yield from (kind for name, kind in hints(thing).items() if not name.startswith("_"))
    is_value = not thing.__module__.startswith("mwbatch.library")
    for name, member in inspect.getmembers(thing):
        function = member.fget if isinstance(member, property) else member
        wanted = not name.startswith("_") or (name == "__init__" and thing in MADE)
        if wanted and isinstance(function, FunctionType) and (function is not member or not is_value):
            yield from hints(function).values()


@pytest.mark.parametrize("name", PUBLIC)
def test_whatever_is_mentioned_is_public(name: str) -> None:
    """Each class in the signatures and fields of a public name is public itself, or an error."""
    there = [*PUBLIC.values(), *vars(errors).values()]
    missing = {kind.__qualname__ for one in said(PUBLIC[name]) for kind in named(one) if kind not in there}
    assert missing == set()
