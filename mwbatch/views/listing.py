"""Lists of single rows and tasks, for people and for pipes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from mwbatch.core.address import masked
from mwbatch.core.fold import Status
from mwbatch.core.outcomes import Reconciled
from mwbatch.core.printable import cell
from mwbatch.core.task_state import TaskState
from mwbatch.core.times import iso
from mwbatch.errors import Exit
from mwbatch.journal.opened import Opened

BEGINNING: Final = 80
"""Characters of a body that a list shows."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows or tasks, one dict each with the same keys; the first line of the text names the columns."""

    what: str
    items: tuple[dict[str, object], ...]
    exit: Exit = Exit.DONE
    words: str = ""
    """What people call it, where scripts know it as ``what``."""

    def text(self) -> str:
        """Tab-separated columns, so that ``cut`` and a spreadsheet read them."""
        if not self.items:
            return f"no {self.words or self.what}"
        lines = ["\t".join(self.items[0])]
        lines += [
            "\t".join("" if value is None else cell(str(value)) for value in item.values())
            for item in self.items
        ]
        return "\n".join(lines)

    def json(self) -> dict[str, object]:
        """An object with the items under ``what``."""
        return {self.what.replace(" ", "_"): list(self.items)}


def rows(opened: Opened, status: Status) -> Listing:
    """The rows in one status, with their line in the manifest, their id and the last message about them."""
    wanted = set(opened.state.numbered(status))
    messages = {row: message for row, message in opened.failures() if row in wanted}
    return Listing(
        f"{status.value} rows",
        tuple(
            {"row": planned.row, "line": planned.line, "id": planned.id, "message": messages.get(planned.row)}
            for planned in opened.journal.rows(wanted.__contains__)
        ),
    )


def surplus(opened: Opened) -> Listing:
    """Every task beyond the one kept of its row."""
    return Listing("surplus", tuple(_tasks(opened, opened.state.surplus())))


def conflicts(opened: Opened) -> Listing:
    """Every task with two answers that say different things."""
    return Listing("conflicts", tuple(_tasks(opened, opened.state.conflicts())))


def differing(found: Reconciled) -> Listing:
    """Every task whose stored answer the API lists otherwise, and those of which it says that it has none."""
    return Listing(
        "differing answers",
        tuple(
            {"row": row, "task_id": task_id, "listed": listed}
            for listed, tasks in (("another answer", found.differing), ("no answer", found.unanswered))
            for row, task_id in tasks
        ),
        found.exit,
    )


def unknown(opened: Opened) -> Listing:
    """Every task at an address of the batch whose row the batch does not have."""
    return Listing("unknown tasks", tuple(_tasks(opened, opened.state.unknown())))


def damaged(opened: Opened) -> Listing:
    """Every place on disk where a line was acknowledged once and cannot be read now."""
    return Listing(
        "damaged lines",
        tuple(
            {"file": d.where, "offset": d.offset, "bytes": d.size, "reason": d.reason}
            for d in opened.own.damage()
        ),
    )


def rejected(opened: Opened) -> Listing:
    """Every callback that did not fit, with the beginning of its body."""
    return Listing(
        "rejected callbacks",
        tuple(
            {
                "at": iso(datetime.fromtimestamp(reject.at, UTC)),
                "row": reject.row,
                "attempt": reject.attempt,
                "reason": reject.reason,
                "size": reject.size,
                "sha256": reject.sha256,
                "begins": _begins(reject.body),
            }
            for reject in opened.own.rejects()
        ),
        words="unusable callbacks",
    )


def _begins(body: bytes) -> str:
    """The first characters of a body: nothing that a terminal obeys, nothing that a listing has to hide."""
    text = masked(body[: 4 * BEGINNING].decode(errors="backslashreplace"))[:BEGINNING]
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def _tasks(opened: Opened, tasks: Iterator[tuple[int, TaskState]]) -> Iterator[dict[str, object]]:
    for number, task in tasks:
        row = opened.state.row(number)
        kept = row.kept
        yield {
            "row": number,
            "attempt": task.attempt,
            "task_id": task.task_id,
            "status": task.status,
            "created_at": task.created_at,
            "kept": kept.task_id if kept else None,
        }
