"""Named sets of faults, and the TOML file in which a user writes others.

::

    profile = "heavy"               # optional: start from a named profile
    seed = 7

    [rates]
    created_500 = 0.03

    [size]
    list_lag_s = 30
    created_at_form = "naive"

    [[script]]
    request = 17                    # create requests count from 1, listings have a count of their own
    through = 20                    # optional
    fault = "created_500"
"""

import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final

from mwbatch.simulator.world.faults import Fault, Faults, FaultsError, Form, Line, Size

HEAVY: Final = Faults(
    rates={
        Fault.CREATED_500: 0.03,
        Fault.CREATED_503: 0.02,
        Fault.CREATED_CUT: 0.02,
        Fault.CREATED_TIMEOUT: 0.01,
        Fault.BUSY: 0.05,
        Fault.CALLBACK_LOST: 0.02,
        Fault.CALLBACK_TWICE: 0.05,
        Fault.CALLBACK_EARLY: 0.05,
    },
    size=Size(retry_after_s=None),  # the reference documents no Retry-After
)
PROFILES: Final[Mapping[str, Faults]] = {"calm": Faults(), "heavy": HEAVY}
"""The named sets of faults."""

_MOST: Final = 1 << 20
_KEYS: Final = {"profile", "seed", "rates", "size", "script"}


def load_faults(path: Path | str) -> Faults:
    """Read a description of faults from a TOML file.

    Raises:
        FaultsError: not TOML, an unknown name, or a rate outside 0 to 1; the message begins with the path.
        OSError: the file cannot be read.
    """
    with Path(path).open("rb") as file:
        raw = file.read(_MOST + 1)  # some devices have no end
    if len(raw) > _MOST:
        raise FaultsError(f"{path} is larger than {_MOST:,} bytes")
    try:
        return _faults(tomllib.loads(raw.decode("utf-8")))
    except (ValueError, TypeError) as error:
        raise FaultsError(f"{path}: {error}") from error


def _faults(table: dict[str, Any]) -> Faults:
    _known(table, _KEYS)
    base = _profile(table.get("profile", "calm"))
    rates = {fault_named(name): rate for name, rate in _numbers(table.get("rates", {}), "rates").items()}
    return Faults(
        seed=int(table.get("seed", base.seed)),
        rates={**base.rates, **rates},
        script=tuple(_line(entry) for entry in table.get("script", [])),
        size=_size(base.size, table.get("size", {})),
    )


def _profile(name: object) -> Faults:
    if not isinstance(name, str) or name not in PROFILES:
        raise FaultsError(f"there is no profile {name!r}; there are {', '.join(PROFILES)}")
    return PROFILES[name]


def _size(base: Size, table: object) -> Size:
    sizes = dict(_table(table, "size"))
    _known(sizes, {field.name for field in fields(Size)})
    form = _form(sizes.pop("created_at_form")) if "created_at_form" in sizes else base.created_at_form
    return replace(base, created_at_form=form, **_numbers(sizes, "size"))


def _form(name: object) -> Form:
    if not isinstance(name, str) or name not in set(Form):
        raise FaultsError(f"there is no form {name!r}; there are {', '.join(Form)}")
    return Form(name)


def _numbers(table: object, name: str) -> dict[str, Any]:
    numbers = _table(table, name)
    for key, number in numbers.items():
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise FaultsError(f"{name}.{key} must be a number")
    return numbers


def _table(table: object, name: str) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise FaultsError(f"{name} must be a table")
    return table


def _line(entry: dict[str, Any]) -> Line:
    _known(entry, {"request", "through", "fault"})
    if "request" not in entry or "fault" not in entry:
        raise FaultsError("a [[script]] entry needs request and fault")
    first = int(entry["request"])
    return Line(fault_named(entry["fault"]), first, int(entry.get("through", first)))


def fault_named(name: str) -> Fault:
    """The fault of a name; raises `FaultsError`, which lists them all."""
    if name not in {fault.value for fault in Fault}:
        raise FaultsError(f"there is no fault {name!r}; there are {', '.join(Fault)}")
    return Fault(name)


def _known(table: dict[str, Any], names: set[str]) -> None:
    if unknown := sorted(set(table) - names):
        raise FaultsError(f"unknown: {', '.join(unknown)}; known: {', '.join(sorted(names))}")
