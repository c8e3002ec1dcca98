"""How a verb becomes a command: the signature of a plain function declares its options and arguments.

==================  =========================================
``bool``            a flag
``str``, ``Path``   a word
``int``, ``float``  a number, from ``min`` to ``max``
a ``StrEnum``       one of its values
``X | None``        an X, or nothing
``tuple[X, ...]``   an option that may be given several times
``tuple[X, X]``     an option that takes two words
a dataclass         its fields: options that verbs share
==================  =========================================
"""

from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from inspect import Parameter, signature
from math import isnan
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin

import click
from click.core import ParameterSource

from mwbatch.errors import UsageError
from mwbatch.library.settings.declarations import Argument, Option
from mwbatch.library.settings.environment import rooted, variable


def verb(function: Callable[..., None]) -> click.Command:
    """Make a command of a function, which gives it its name and its help;
    the values of a dataclass are folded at the call.

    Every field of a dataclass needs a default; no two parameters or fields share a name. An option that says
    nothing without another one is refused where that is missing.

    Raises:
        TypeError: a parameter is declared in another way than above.
    """
    declared = signature(function).parameters.items()
    groups: dict[str, Any] = {
        name: parameter.annotation for name, parameter in declared if is_dataclass(parameter.annotation)
    }

    def call(**values: object) -> None:
        _see_beside(click.get_current_context())
        for name, group in groups.items():
            values[name] = group(**{field.name: values.pop(field.name) for field in fields(group)})
        function(**values)

    params = [
        option
        for name, parameter in declared
        for option in _params(name, parameter.annotation, parameter.default)
    ]
    assert len({param.name for param in params}) == len(params), f"{function.__name__}: a name is there twice"
    name = function.__name__.rstrip("_").replace("_", "-")
    return click.Command(name, callback=call, params=params, help=function.__doc__)


def _see_beside(ctx: click.Context) -> None:
    """Raise `click.UsageError` where an option was typed without the one that gives it a meaning:
    it would do nothing.
    """
    values = {opt: ctx.params[str(param.name)] for param in ctx.command.params for opt in param.opts}
    for param in ctx.command.params:
        if not isinstance(param, DeclaredOption) or param.beside is None:
            continue
        if values[param.beside] is not None and values[param.beside] is not False:  # 0 is a port, too
            continue
        if ctx.get_parameter_source(str(param.name)) is ParameterSource.COMMANDLINE:
            name = param.opts[0]
            raise click.UsageError(
                f"{name} says nothing without {param.beside}: add {param.beside}, or leave out {name}", ctx
            )


def _params(name: str, annotation: object, default: object) -> list[click.Parameter]:
    """The options that a parameter stands for."""
    if not is_dataclass(annotation):
        return [_param(name, annotation, default)]
    for field in fields(annotation):
        assert field.default is not MISSING, f"{name}.{field.name} needs a default"
    return [_param(field.name, field.type, field.default) for field in fields(annotation)]


def _param(name: str, annotation: object, default: object) -> click.Parameter:
    """One option or argument; it is required where there is no default."""
    # click would show the name of an enum's member, where users type its value.
    given = {"default": str(default) if isinstance(default, StrEnum) else default}
    presence = {"required": True} if default is Parameter.empty else given
    match get_args(annotation):
        case kind, Argument(metavar, help=words):
            words += "  [required]" if "required" in presence else ""
            return click.Argument([name], metavar=metavar, help=words, **presence, **_shape(kind))
        case kind, Option() as mark:
            return DeclaredOption(
                [name, mark.name or f"--{name.replace('_', '-')}", *([mark.short] if mark.short else [])],
                metavar=mark.metavar,
                help=mark.help,
                envvar=mark.envvar,
                rooted=mark.rooted,
                beside=mark.beside,
                show_envvar=True,
                show_default=True,
                **presence,
                **_shape(kind, mark.min, mark.max),
            )
    raise TypeError(f"{name}: {annotation} is not a type with an Option or an Argument")


def _shape(kind: object, low: float | None = None, high: float | None = None) -> dict[str, Any]:
    """What click is told about a type."""
    if kind is bool:
        return {"is_flag": True}
    inner = get_args(kind)
    if isinstance(kind, UnionType) and inner[1:] == (NoneType,):
        return _shape(inner[0], low, high)
    if get_origin(kind) is not tuple:
        return {"type": _type(kind, low, high)}
    if inner[1:] == (Ellipsis,):
        return {"type": _type(inner[0], low, high), "multiple": True}
    return {"type": click.Tuple([_type(one, low, high) for one in inner])}


def _type(kind: object, low: float | None, high: float | None) -> click.ParamType[Any]:
    bounded = (low, high) != (None, None)
    if kind is int:
        least, most = (None if one is None else int(one) for one in (low, high))
        return IntRange(least, most) if bounded else click.INT
    if kind is float:
        return FloatRange(low, high) if bounded else click.FLOAT
    if kind is str:
        return Word()
    if kind is Path:
        return PathWord()
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return Values(kind)
    raise TypeError(f"no option is made of {kind}")


class DeclaredOption(click.Option):
    """An option whose variable is never passed over:
    click would take one that is empty for one that is not set.

    ``rooted``: a path, which must be absolute there: else it would mean another one in each directory.
    ``beside``: the option without which it says nothing.
    """

    # click's own
    def __init__(self, names: list[str], *, rooted: bool, beside: str | None, **given: Any) -> None:  # noqa: ANN401
        super().__init__(names, **given)
        self._rooted, self.beside = rooted, beside

    def _unset(self) -> str:
        """What it means that nothing is said: the default, or what the help calls so."""
        if self.default is not None:
            return f"for {self.default}"
        _, told, named = (self.help or "").rpartition("Default: ")
        return f"for {named.rstrip('.')}" if told else "to go without it"

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """Read the variable."""
        if self.envvar is None:
            return None
        assert isinstance(self.envvar, str)
        read = rooted if self._rooted else variable
        try:
            value = read(self.envvar, self._unset())
        except UsageError as error:
            raise click.BadParameter(str(error), ctx=ctx, param=self) from None
        return None if value is None else str(value)


class Word(click.types.StringParamType):
    """A word, which has letters: an empty one would pass for one that was not given,
    an empty host for every address.

    ``any_bytes``: it names a file, which may be called anything.
    """

    def __init__(self, *, any_bytes: bool = False) -> None:
        self._any_bytes = any_bytes

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Take any word but a blank one; of an option's, which may go into a URL or a header,
        only what UTF-8 can say.
        """
        word = super().convert(value, param, ctx)
        if not word.strip():
            self.fail("An empty word says nothing (is a variable not set?).", param, ctx)
        if isinstance(param, click.Option) and not self._any_bytes and not _is_utf8(word):
            self.fail(f"{word!r} is not UTF-8.", param, ctx)
        return word


class PathWord(click.ParamType[Path]):
    """A path, which is not looked at before the verb does: it may be yet to be made.

    An empty one Path would take for ``.``.
    """

    name = "path"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Take any word but a blank one."""
        word = Word(any_bytes=True).convert(value, param, ctx)
        path = Path(word)
        return (
            path.absolute() if str(path) == "-" != word else path
        )  # ./- is a file; for Path it is -, which is none


def _is_utf8(word: str) -> bool:
    """Whether a word that was typed is text: Python keeps other bytes as lone surrogates."""
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True


class Group(click.Group):
    """Verbs below a verb, in the order in which they are given."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click calls it so)
        """Their names."""
        return [*self.commands]


class IntRange(click.IntRange):
    """An integer within bounds, which the help names apart."""

    name = "integer"


class FloatRange(click.FloatRange):
    """A number within bounds, which nan never is: a limit of nan would hold nothing back."""

    name = "float"

    def convert(self, value: float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the number."""
        number = super().convert(value, param, ctx)
        if isnan(number):
            self.fail(f"{value!r} is not a number.", param, ctx)
        return number


class Values(click.Choice[Any]):
    """A choice among the values of an enum."""

    # click calls it so
    def normalize_choice(self, choice: object, ctx: click.Context | None) -> str:  # noqa: ARG002
        """The value, where click would take the member's name."""
        return str(choice)
