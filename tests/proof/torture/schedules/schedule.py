"""A schedule: a cause, a circumstance and a seed; its name says all there is to know about it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from tests.proof.torture.schedules.causes import CAUSES
from tests.proof.torture.schedules.circumstances import CIRCUMSTANCES
from tests.proof.torture.schedules.draw import Draw


@dataclass(frozen=True)
class Schedule:
    """One way in which a batch may go."""

    cause: str
    circumstance: str
    seed: int

    def __str__(self) -> str:
        return f"{self.cause}/{self.circumstance}/{self.seed}"

    @classmethod
    def read(cls, name: str) -> Self:
        """The schedule of a name; raises ValueError or KeyError for what is none."""
        cause, circumstance, seed = name.split("/")
        return cls(list(CAUSES)[list(CAUSES).index(cause)], circumstance, int(seed))

    @property
    def draw(self) -> Draw:
        """Where all its chance comes from."""
        return Draw(self.cause, self.circumstance, self.seed)


def product(seed: int) -> Iterator[Schedule]:
    """Every cause in every circumstance, once for each seed from ``seed`` on, without end."""
    while True:
        for cause in CAUSES:
            for circumstance in CIRCUMSTANCES:
                yield Schedule(cause, circumstance, seed)
        seed += 1


def sample(seed: int, size: int) -> Iterator[Schedule]:
    """``size`` schedules that have every cause and every circumstance, as evenly as it goes."""
    causes, circumstances = list(CAUSES), list(CIRCUMSTANCES)
    for number in range(size):
        turn, place = divmod(number, len(causes))
        circumstance = circumstances[(place + turn * 5) % len(circumstances)]
        yield Schedule(causes[place], circumstance, seed + turn)
