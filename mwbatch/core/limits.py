"""Hard limits on what a batch may cost, over all its runs together; what is in doubt counts as spent."""

from dataclasses import dataclass
from math import floor, inf

from mwbatch.core.batch import Batch


@dataclass(frozen=True, slots=True)
class Limits:
    """``max_tasks`` tasks at most, or as many as ``max_cost`` pays at ``price`` a task; None for no limit.

    ``price`` and ``max_cost`` are in one currency, which nobody needs to name.
    """

    max_tasks: int | None = None
    price: float | None = None
    max_cost: float | None = None

    @property
    def tasks(self) -> float:
        """The most tasks that the batch may ever have; infinity for no limit."""
        by_cost = inf
        if self.max_cost is not None and self.price:
            by_cost = floor(self.max_cost / self.price + 1e-9)
        return min(inf if self.max_tasks is None else self.max_tasks, by_cost)

    def left(self, batch: Batch) -> float:
        """How many more tasks may be created."""
        return max(0, self.tasks - batch.spent())

    def updated(self, other: "Limits") -> "Limits":
        """These limits, with whatever ``other`` names in their place."""
        return Limits(
            self.max_tasks if other.max_tasks is None else other.max_tasks,
            self.price if other.price is None else other.price,
            self.max_cost if other.max_cost is None else other.max_cost,
        )
