"""What was asked for more than once, as words and as JSON."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mwbatch.core.account import word
from mwbatch.core.audit import Audited, Held, Request
from mwbatch.core.cells import shown
from mwbatch.core.facts import Planned
from mwbatch.core.plural import counted
from mwbatch.core.signatures import unsigned
from mwbatch.errors import Exit

SHOWN: Final = 20
"""How many requests people are shown; scripts get more."""


@dataclass(frozen=True, slots=True)
class AuditView:
    """An audit, ready to be shown; ``price`` is the user's, for one task."""

    found: tuple[Audited, ...]
    price: float | None = None

    @property
    def exit(self) -> Exit:
        """1 where something was asked for more than once; 3 and 6 where not everything could be looked at."""
        if any(one.unreadable for one in self.found):
            return Exit.MACHINE
        if any(one.flaw for one in self.found):
            return Exit.UNFINISHED
        return Exit.ROWS if self.requests else Exit.DONE

    @property
    def requests(self) -> int:
        """How many requests have more than one task that was not canceled."""
        return sum(one.audit.requests for one in self.found)

    @property
    def beyond(self) -> int:
        """How many of their tasks are beyond one each."""
        return sum(one.audit.beyond for one in self.found)

    @property
    def cost(self) -> float | None:
        """What these cost, in the currency of the price; None where no price was named."""
        return None if self.price is None else round(self.price * self.beyond, 6)

    def text(self) -> str:
        """The requests with most tasks first, then the counts."""
        told = sorted(self._told(), key=lambda one: -one[2])
        lines = [line for one, request, paid in told[:SHOWN] for line in _lines(one, request, paid)]
        if self.requests > SHOWN:
            lines.append(f"and {self.requests - SHOWN:,} more requests (--json lists them)")
        return "\n".join([*lines, *self._summary()])

    def _told(self) -> Iterator[tuple[Audited, Request, int]]:
        return ((one, request, paid) for one in self.found for paid, request in one.audit.told())

    def _summary(self) -> Iterator[str]:
        for one in self.found:
            yield from (f"not looked into: {reason}" for reason in one.unreadable)
            if one.listed is not None:
                seen = counted(one.listed, "task")
                yield f"looked at {seen} of the account" + (f": {one.flaw}" if one.flaw else "")
            if one.bare:
                yield f"not comparable, since they show no inputs: {one.bare:,} of them"
        batches = sum(len(one.batches) for one in self.found)
        cost = f", {self.cost:,.2f} at {self.price:g} each" if self.cost is not None else ""
        if not self.requests:
            yield (
                f"nothing was asked for more than once, in {batches:,} "
                f"{'batch' if batches == 1 else 'batches'}"
            )
        else:
            were = "request was" if self.requests == 1 else "requests were"
            beyond = counted(self.beyond, "task")
            yield f"{self.requests:,} {were} asked for more than once: {beyond} beyond one each{cost}"

    def json(self) -> dict[str, object]:
        """The object for scripts; its names are a promise."""
        listed = [one.listed for one in self.found if one.listed is not None]
        return {
            "batches": sum(len(one.batches) for one in self.found),
            "asked_again": self.requests,
            "tasks_beyond": self.beyond,
            "cost": self.cost,
            "requests": [_object(*told) for told in self._told()],
            "listed": sum(listed) if listed else None,
            "not_comparable": sum(one.bare for one in self.found),
            "unreadable": [reason for one in self.found for reason in one.unreadable],
        }


def _planned(one: Audited, request: Request) -> Iterator[tuple[Held, Planned]]:
    return (
        (held, one.plans[held.batch, held.row])
        for held in request.rows
        if (held.batch, held.row) in one.plans
    )


def _lines(one: Audited, request: Request, paid: int) -> Iterator[str]:
    rows = list(_planned(one, request))
    asked = f"{rows[0][1].type} {unsigned(rows[0][1].request['image_url'])}" if rows else "a request"
    yield f"{asked}: {counted(paid, 'task')}"
    for held, planned in rows:
        name, batch_id = one.batches[held.batch]
        tasks = ", ".join(f"{shown(task_id)} {word(status)}" for task_id, status in held.tasks) or "no task"
        yield f"  batch {name} ({batch_id}), line {planned.line} ({shown(planned.id)}): {tasks}"
    for task_id, maker, status in request.strange:
        where = f"batch {maker}, not in this home" if maker else "at no address of mwbatch"
        yield f"  {where}: {shown(task_id)} {word(status)}"


def _object(one: Audited, request: Request, paid: int) -> dict[str, object]:
    rows = list(_planned(one, request))
    planned = rows[0][1] if rows else None
    return {
        "tasks": paid,
        "type": planned.type if planned else None,
        "request": planned.request if planned else None,
        "rows": [_row(one, held, planned) for held, planned in rows],
        "account": [
            {"task_id": task_id, "batch_id": batch_id or None, "status": status}
            for task_id, batch_id, status in request.strange
        ],
    }


def _row(one: Audited, held: Held, planned: Planned) -> dict[str, object]:
    name, batch_id = one.batches[held.batch]
    return {
        "batch": name,
        "batch_id": batch_id,
        "row": held.row,
        "line": planned.line,
        "id": planned.id,
        "tasks": [{"task_id": task_id, "status": status} for task_id, status in held.tasks],
    }
