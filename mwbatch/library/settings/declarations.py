"""How options and arguments are declared: marks that stand beside a type in ``Annotated``.

They are plain values, so that settings need no library of command lines; `mwbatch.cli.options` makes
parameters of them.
"""

from dataclasses import KW_ONLY, dataclass


@dataclass(frozen=True, slots=True)
class Argument:
    """A word that has its place. It is required where the parameter has no default."""

    metavar: str
    _: KW_ONLY
    help: str


@dataclass(frozen=True, slots=True)
class Option:
    """A flag, by default named as its parameter is. ``min`` and ``max`` are allowed themselves.

    ``beside`` names the option without which this one says nothing, so that it is refused where it stands
    alone. ``rooted``: from the environment its path must be absolute, as a variable outlives the directory it
    was set in.
    """

    name: str | None = None
    short: str | None = None
    _: KW_ONLY
    help: str
    metavar: str | None = None
    envvar: str | None = None
    min: float | None = None
    max: float | None = None
    beside: str | None = None
    rooted: bool = False
