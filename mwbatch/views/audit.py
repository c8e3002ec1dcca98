"""What was asked for more than once, as words and as JSON."""

from collections.abc import Iterator, Sequence
from typing import Final

from mwbatch.core.facts.kinds import Planned
from mwbatch.core.manifest.cells import shown
from mwbatch.core.report.audit import Audited, Held, Request
from mwbatch.core.spending.account import word
from mwbatch.core.urls.signed_urls import unsigned
from mwbatch.core.words.plural import counted
from mwbatch.errors import Exit
from mwbatch.views.plain import Result

SHOWN: Final = 20
"""How many requests people are shown; scripts get more."""


def audited(found: Sequence[Audited], price: float | None = None) -> Result:
    """An audit: the requests with most tasks first, then the counts; ``price`` is the user's, for one task.

    Exit 1 where something was asked for more than once; 3 and 6 where not everything could be looked at.
    """
    told = [(one, request, paid) for one in found for paid, request in one.audit.told()]
    requests = sum(one.audit.requests for one in found)
    beyond = sum(one.audit.beyond for one in found)
    cost = None if price is None else round(price * beyond, 6)
    worst_first = sorted(told, key=lambda one: -one[2])
    lines = [line for one in worst_first[:SHOWN] for line in _lines(*one)]
    if requests > SHOWN:
        lines.append(f"and {requests - SHOWN:,} more requests (--json lists them)")
    of_price = f", {cost:,.2f} at {price:g} each" if cost is not None else ""
    lines += [*_looked(found), _summary(found, requests, beyond, of_price)]
    listed = [one.listed for one in found if one.listed is not None]
    value = {
        "batches": sum(len(one.batches) for one in found),
        "asked_again": requests,
        "tasks_beyond": beyond,
        "cost": cost,
        "requests": [_object(*one) for one in told],
        "listed": sum(listed) if listed else None,
        "not_comparable": sum(one.bare for one in found),
        "unreadable": [reason for one in found for reason in one.unreadable],
    }
    return Result("\n".join(lines), value, _exit(found, requests))


def _exit(found: Sequence[Audited], requests: int) -> Exit:
    if any(one.unreadable for one in found):
        return Exit.MACHINE
    if any(one.flaw for one in found):
        return Exit.UNFINISHED
    return Exit.ROWS if requests else Exit.DONE


def _looked(found: Sequence[Audited]) -> Iterator[str]:
    for one in found:
        yield from (f"not looked into: {reason}" for reason in one.unreadable)
        if one.listed is not None:
            seen = counted(one.listed, "task")
            yield f"looked at {seen} of the account" + (f": {one.flaw}" if one.flaw else "")
        if one.bare:
            yield f"not comparable, since they show no inputs: {one.bare:,} of them"


def _summary(found: Sequence[Audited], requests: int, beyond: int, cost: str) -> str:
    if not requests:
        batches = sum(len(one.batches) for one in found)
        return (
            f"nothing was asked for more than once, in {batches:,} {'batch' if batches == 1 else 'batches'}"
        )
    were = "request was" if requests == 1 else "requests were"
    return f"{requests:,} {were} asked for more than once: {counted(beyond, 'task')} beyond one each{cost}"


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
