"""Hard limits on what a batch may cost, over all its runs together; what is in doubt counts as spent."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import ceil, floor, inf
from typing import Final, Self, TypedDict

from mwbatch.core.state.batch import Batch
from mwbatch.core.state.row_status import Status
from mwbatch.core.words.plural import counted
from mwbatch.core.words.values import GREATEST_COST, MOST_TASKS, amount, whole
from mwbatch.errors import BadValue

UNCHECKED: Final = (
    "as the limit of a batch it holds nothing back until the price of a task is known: give a price above "
    "0 too (--price)"
)


@dataclass(frozen=True, slots=True)
class Limits:
    """``max_tasks`` tasks at most, or as many as ``max_cost`` pays at ``price`` a task; None for no limit.

    ``price`` and ``max_cost`` are in one currency, which nobody needs to name. Raises `BadValue` for what can
    be neither.
    """

    max_tasks: int | None = None
    price: float | None = None
    max_cost: float | None = None

    def __post_init__(self) -> None:
        whole("max_tasks", self.max_tasks, 0, MOST_TASKS, none=True)
        amount("price", self.price, 0, GREATEST_COST, none=True)
        amount("max_cost", self.max_cost, 0, GREATEST_COST, none=True)

    @classmethod
    def stored(
        cls, max_tasks: int | None = None, price: float | None = None, max_cost: float | None = None
    ) -> Self:
        """The limits as they stand in a batch info, whatever they are: who only looks is not refused."""
        limits = object.__new__(cls)
        for name, value in (("max_tasks", max_tasks), ("price", price), ("max_cost", max_cost)):
            object.__setattr__(limits, name, value)
        return limits

    @property
    def tasks(self) -> float:
        """The most tasks that the batch may ever have; infinity for no limit,
        none where the limit cannot be checked.
        """
        by_count = inf if self.max_tasks is None else max(0, self.max_tasks)
        return min(by_count, self._affordable())

    def _affordable(self) -> float:
        if self.max_cost is None:
            return inf
        if self.price is None or self.price <= 0:
            return 0
        return floor(min(self.max_cost / self.price, MOST_TASKS) + 1e-9)

    def left(self, batch: Batch) -> float:
        """How many more tasks may be created."""
        return max(0, self.tasks - batch.spent())

    def spent(self, batch: Batch) -> "Spent":
        """What the batch has cost so far, beside these limits."""
        return Spent(batch.spent(), batch.months(), self)

    def raised(self, batch: Batch) -> str:
        """The options that let every planned row be sent; nothing where some may be sent,
        or the limit cannot be checked.
        """
        planned = batch.by_status()[Status.PLANNED]
        if not planned or self.left(batch):
            return ""
        needed, words = batch.spent() + planned, []
        if self.max_tasks is not None and self.max_tasks < needed:
            words.append(f"--max-tasks {needed}")
        if self.max_cost is not None and self.price and self._affordable() < needed:
            words.append(f"--max-cost {ceil(needed * self.price * 100) / 100:.2f}")
        return " ".join(words)

    def updated(self, other: "Limits") -> "Limits":
        """These limits, with whatever ``other`` names in their place: those of a batch that is to be sent.

        Raises:
            BadValue: nobody could hold to them.
        """
        both = Limits(
            self.max_tasks if other.max_tasks is None else other.max_tasks,
            self.price if other.price is None else other.price,
            self.max_cost if other.max_cost is None else other.max_cost,
        )
        if both.max_cost is not None and not both.price:
            raise BadValue("max_cost", both.max_cost, UNCHECKED)
        return both


class LimitsObject(TypedDict):
    """The limits of a batch for scripts."""

    max_tasks: int | None
    price: float | None
    max_cost: float | None


class Cost(TypedDict):
    """So many tasks, and what they cost; null where no price was named."""

    tasks: int
    cost: float | None


class Paid(Cost):
    """The same of a whole batch, and of each month."""

    by_month: dict[str, Cost]


class SpentObject(TypedDict):
    """`Spent` for scripts."""

    limits: LimitsObject
    spent: Paid


@dataclass(frozen=True, slots=True)
class Spent:
    """What a batch has or may have cost: ``tasks``, some of them of a known month (``2026-11``),
    beside its limits.
    """

    tasks: int = 0
    by_month: Mapping[str, int] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)

    def cost(self, tasks: int) -> float | None:
        """What so many tasks cost, in the currency of the price; None where no price was named."""
        price = self.limits.price
        return None if price is None else round(price * tasks, 6)

    def priced(self, price: float | None) -> "Spent":
        """The same at another price a task, where one is named."""
        return self if price is None else replace(self, limits=replace(self.limits, price=price))

    def text(self) -> str:
        """What is spent and what may be, in words; empty while there is neither."""
        limits, cost = self.limits, self.cost(self.tasks)
        if limits == Limits(price=limits.price) and not self.tasks:
            return ""
        told = f"{counted(self.tasks, 'task')} so far"
        if limits.max_tasks is not None:
            told = f"{self.tasks:,} of at most {counted(limits.max_tasks, 'task')} so far (--max-tasks)"
        if limits.max_cost is not None:
            return f"{told}, {cost or 0:,.2f} of at most {limits.max_cost:,.2f} (--max-cost)"
        return told if cost is None else f"{told}, about {cost:,.2f}"

    def json(self) -> SpentObject:
        """The same for scripts; ``cost`` is null where no price was named."""
        limits = self.limits
        return {
            "limits": {"max_tasks": limits.max_tasks, "price": limits.price, "max_cost": limits.max_cost},
            "spent": {
                "tasks": self.tasks,
                "cost": self.cost(self.tasks),
                "by_month": {
                    month: {"tasks": tasks, "cost": self.cost(tasks)}
                    for month, tasks in self.by_month.items()
                },
            },
        }
