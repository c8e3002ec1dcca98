"""Rows beside their answers as people see them, in the manifest's order."""

from collections.abc import Iterator

from mwbatch.core.facts.kinds import Planned, Seen
from mwbatch.core.report.result_line import Label, label
from mwbatch.core.state.row_status import Status
from mwbatch.journal.interface.journal import Answers
from mwbatch.journal.interface.open_batch import OpenBatch


def labelled(answers: Answers) -> Iterator[tuple[Planned, Seen]]:
    """Every row that has an answer, with the one that is shown."""
    return ((planned, answer) for planned, answer in answers if answer is not None)


def results(opened: OpenBatch, *, every: bool = False) -> Iterator[Label]:
    """One object a row, in the manifest's order.

    Completed rows, or with ``every`` all, with their status and error.
    """
    answers, state = opened.journal.answered(opened.state.chosen()), opened.state
    errors = dict(opened.failures()) if every else {}
    for planned, answer in answers:
        state.add(planned)  # both may have been written after the state was folded
        if answer is not None:
            state.add(answer)
        row = state.row(planned.row)
        if every or row.status is Status.COMPLETED:
            line = label(opened.info.name, planned, row, answer)
            if every:
                line["error"] = errors.get(planned.row)
            yield line
