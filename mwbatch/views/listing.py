"""Lists of single rows and tasks, for people and for pipes."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from mwbatch.core.api.address import masked
from mwbatch.core.codec.times import iso
from mwbatch.core.report.command_outcomes import Reconciled
from mwbatch.core.state.row_status import Status
from mwbatch.core.state.task_state import TaskState
from mwbatch.core.words.printable import cell
from mwbatch.errors import Exit
from mwbatch.journal.interface.open_batch import OpenBatch
from mwbatch.views.plain import Result

BEGINNING: Final = 80
"""Characters of a body that a list shows."""


def listing(
    what: str, items: Iterable[Mapping[str, object]], exit_code: Exit = Exit.DONE, words: str = ""
) -> Result:
    """Rows or tasks, one mapping each with the same keys, which are the first line: columns with tabs between
    them, so that ``cut`` and a spreadsheet read them.

    ``words`` is what people call it, where scripts know it as ``what``.
    """
    there = list(items)
    lines = ["\t".join(there[0])] if there else [f"no {words or what}"]
    lines += [
        "\t".join("" if value is None else cell(str(value)) for value in item.values()) for item in there
    ]
    return Result("\n".join(lines), {what.replace(" ", "_"): there}, exit_code)


def rows(opened: OpenBatch, status: Status) -> Result:
    """The rows in one status, with their line in the manifest, their id and the last message about them."""
    wanted = set(opened.state.numbered(status))
    messages = {row: message for row, message in opened.failures() if row in wanted}
    return listing(
        f"{status.value} rows",
        (
            {"row": planned.row, "line": planned.line, "id": planned.id, "message": messages.get(planned.row)}
            for planned in opened.journal.rows(wanted.__contains__)
        ),
    )


def surplus(opened: OpenBatch) -> Result:
    """Every task beyond the one kept of its row."""
    return listing("surplus", _tasks(opened, opened.state.surplus()))


def conflicts(opened: OpenBatch) -> Result:
    """Every task with two answers that say different things."""
    return listing("conflicts", _tasks(opened, opened.state.conflicts()))


def differing(found: Reconciled) -> Result:
    """Every task whose stored answer the API lists otherwise, and those of which it says that it has none."""
    return listing(
        "differing answers",
        (
            {"row": row, "task_id": task_id, "listed": listed}
            for listed, tasks in (("another answer", found.differing), ("no answer", found.unanswered))
            for row, task_id in tasks
        ),
        found.exit,
    )


def unknown(opened: OpenBatch) -> Result:
    """Every task at an address of the batch whose row the batch does not have."""
    return listing("unknown tasks", _tasks(opened, opened.state.unknown()))


def damaged(opened: OpenBatch) -> Result:
    """Every place on disk where a line was acknowledged once and cannot be read now."""
    return listing(
        "damaged lines",
        (
            {"file": d.where, "offset": d.offset, "bytes": d.size, "reason": d.reason}
            for d in opened.own.damage()
        ),
    )


def rejected(opened: OpenBatch) -> Result:
    """Every callback that did not fit, with the beginning of its body."""
    return listing(
        "rejected callbacks",
        (
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


def _tasks(opened: OpenBatch, tasks: Iterator[tuple[int, TaskState]]) -> Iterator[dict[str, object]]:
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
