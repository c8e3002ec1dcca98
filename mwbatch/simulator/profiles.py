"""Named sets of faults, and the TOML file in which a user writes others.

::

    profile = "heavy"               # optional: start from a named profile
    seed = 7

    [rates]
    created_500 = 0.03

    [size]
    list_lag_s = 30

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

from mwbatch.simulator.faults import Fault, Faults, FaultsError, Line, Size

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

_KEYS: Final = {"profile", "seed", "rates", "size", "script"}


def load_faults(path: Path | str) -> Faults:
    """Read a description of faults from a TOML file.

    Raises:
        FaultsError: not TOML, an unknown name, or a rate outside 0 to 1; the message begins with the path.
        OSError: the file cannot be read.
    """
    raw = Path(path).read_bytes()
    try:
        return _faults(tomllib.loads(raw.decode("utf-8")))
    except (ValueError, TypeError) as error:
        raise FaultsError(f"{path}: {error}") from error


def _faults(table: dict[str, Any]) -> Faults:
    _known(table, _KEYS)
    base = _profile(table.get("profile", "calm"))
    rates = {_fault(name): rate for name, rate in _numbers(table, "rates").items()}
    return Faults(
        seed=int(table.get("seed", base.seed)),
        rates={**base.rates, **rates},
        script=tuple(_line(entry) for entry in table.get("script", [])),
        size=_size(base.size, _numbers(table, "size")),
    )


def _profile(name: object) -> Faults:
    if not isinstance(name, str) or name not in PROFILES:
        raise FaultsError(f"there is no profile {name!r}; there are {', '.join(PROFILES)}")
    return PROFILES[name]


def _size(base: Size, table: dict[str, Any]) -> Size:
    _known(table, {field.name for field in fields(Size)})
    return replace(base, **table)


def _numbers(table: dict[str, Any], name: str) -> dict[str, Any]:
    numbers: dict[str, Any] = table.get(name, {})
    if not isinstance(numbers, dict):
        raise FaultsError(f"{name} must be a table")
    for key, number in numbers.items():
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise FaultsError(f"{name}.{key} must be a number")
    return numbers


def _line(entry: dict[str, Any]) -> Line:
    _known(entry, {"request", "through", "fault"})
    if "request" not in entry or "fault" not in entry:
        raise FaultsError("a [[script]] entry needs request and fault")
    first = int(entry["request"])
    return Line(_fault(entry["fault"]), first, int(entry.get("through", first)))


def _fault(name: str) -> Fault:
    if name not in {fault.value for fault in Fault}:
        raise FaultsError(f"there is no fault {name!r}; there are {', '.join(Fault)}")
    return Fault(name)


def _known(table: dict[str, Any], names: set[str]) -> None:
    if unknown := sorted(set(table) - names):
        raise FaultsError(f"unknown: {', '.join(unknown)}; known: {', '.join(sorted(names))}")
