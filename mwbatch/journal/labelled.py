"""Rows beside their answers, in the manifest's order, each read from disk when it is its turn."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from mwbatch.core.facts import Planned, Seen
from mwbatch.core.fold import Status
from mwbatch.core.holders import Holders
from mwbatch.core.labels import label
from mwbatch.core.task_state import Answered
from mwbatch.core.text import Json
from mwbatch.journal.opened import Opened
from mwbatch.journal.places import Answers
from mwbatch.journal.segments import Segments

Chosen = Mapping[int, Answered | None]
"""What `Batch.chosen` says."""


def is_mixed_up(journal: Segments) -> bool:
    """Whether a task may show at several rows: a look that takes much less memory than the state, which knows it."""
    first = Holders(lambda _row, _task_id: True)
    return any(first.claim(task_id, row) != row for row, task_id in journal.shown_tasks())


def shown_answers(
    journal: Segments,
    placed: Iterable[tuple[Path, int, int]] | None = None,
    chosen: Chosen | None = None,
) -> Answers:
    """The answer that is shown for each row, of those placed, or of all that are on disk.

    ``chosen`` is what the state says, which is folded where it is not given and more than a look is needed.
    """
    if chosen is None and is_mixed_up(journal):
        chosen = journal.fold().chosen()
    answers = Answers(journal.answered_rows() if placed is None else placed)
    if answers.disputed and chosen is None:
        chosen = journal.fold().chosen()
    for row, least in (chosen or {}).items():
        if least is None:
            answers.forget(row)
        else:
            answers.settle(row, least)
    return answers


def labelled(journal: Segments, answers: Answers) -> Iterator[tuple[Planned, Seen]]:
    """Every row that has an answer, with the one that is shown."""
    for planned in journal.read_rows():
        answer = answers.answer(planned.row)
        if answer is not None:
            yield planned, answer


def results(opened: Opened, *, every: bool = False) -> Iterator[dict[str, Json]]:
    """One object a row, in the manifest's order; completed rows, or with ``every`` all, with their status and error."""
    answers, state = shown_answers(opened.journal, chosen=opened.state.chosen()), opened.state
    errors = dict(opened.failures()) if every else {}
    for planned in opened.journal.read_rows():
        answer = answers.answer(planned.row)
        state.add(planned)  # both may have been written after the state was folded
        if answer is not None:
            state.add(answer)
        row = state.row(planned.row)
        if every or row.status is Status.COMPLETED:
            line = label(opened.card.name, planned, row, answer)
            yield line | {"error": errors.get(planned.row)} if every else line
