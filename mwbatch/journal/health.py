"""How a journal fares: what of it is damaged, and whether it can take more."""

from dataclasses import dataclass
from enum import StrEnum


class Harm(StrEnum):
    """What bad bytes in a segment mean."""

    LIVE = "live"
    """The end of a segment that is being written: not there yet."""
    TORN = "torn"
    """The end of a segment whose writer is gone: it was never acknowledged."""
    DAMAGED = "damaged"
    """Bad bytes with good lines behind them: something was acknowledged and is lost."""


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes that are not a whole line, at an ``offset`` of what people call ``where``; both sizes are in bytes."""

    where: str
    offset: int
    size: int
    harm: Harm
    reason: str


@dataclass(frozen=True, slots=True)
class Health:
    """What is wrong: ``damage`` of what was read, ``backlog`` in bytes that wait, ``full`` where there was no space."""

    damage: tuple[Damage, ...] = ()
    backlog: int = 0
    full: bool = False

    @property
    def lost(self) -> list[Damage]:
        """What was acknowledged once and cannot be read now."""
        return [damage for damage in self.damage if damage.harm is Harm.DAMAGED]
