"""How a journal fares: what of it is damaged, and whether it can take more."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple


class DamageKind(StrEnum):
    """What bad bytes in a segment mean."""

    LIVE = "live"
    """The end of a segment that is being written: not there yet."""
    TORN = "torn"
    """The end of a segment whose writer is gone: it was never acknowledged."""
    DAMAGED = "damaged"
    """Bad bytes with good lines behind them: something was acknowledged and is lost."""


class Damage(NamedTuple):
    """Bytes that are not a whole line, ``size`` of them at a byte ``offset`` of what is ``where``."""

    where: str
    offset: int
    size: int
    kind: DamageKind
    reason: str


class Health(NamedTuple):
    """``damage`` of what was read, ``backlog`` in bytes that wait, ``full`` where there was no space."""

    damage: tuple[Damage, ...] = ()
    backlog: int = 0
    full: bool = False

    @property
    def lost(self) -> list[Damage]:
        """What was acknowledged once and cannot be read now."""
        return [damage for damage in self.damage if damage.kind is DamageKind.DAMAGED]


def shrunk(folder: Path, known: Mapping[str, int], sizes: Mapping[str, int]) -> list[Damage]:
    """What is missing of segments that were as large as is ``known`` once, by their ``sizes`` now.

    At offset 0 all of one is gone.
    """
    return [
        Damage(
            str(folder / name),
            sizes.get(name, 0),
            size - sizes.get(name, 0),
            DamageKind.DAMAGED,
            "these bytes are gone",
        )
        for name, size in known.items()
        if sizes.get(name, -1) < size
    ]
