"""Rows beside their answers, in the manifest's order, each read from disk when it is its turn."""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from mwbatch.core.facts import CONFIRMING, Planned, Seen
from mwbatch.core.fold import Status
from mwbatch.core.labels import label
from mwbatch.core.text import Json
from mwbatch.journal.opened import Opened
from mwbatch.journal.places import Answers
from mwbatch.journal.segments import Segments


def shown_answers(journal: Segments, placed: Iterable[tuple[Path, int, int]] | None = None) -> Answers:
    """The answer that is shown for each row, of those placed, or of all that are on disk."""
    answers = Answers(journal.answered_rows() if placed is None else placed)
    if answers.disputed:
        confirmed = {
            (fact.row, fact.task_id)
            for fact in chain(journal.read_journal(Seen), journal.read_answers())
            if fact.row in answers.disputed and fact.via in CONFIRMING
        }
        answers.settle(lambda row, task_id: (row, task_id) in confirmed)
    return answers


def labelled(journal: Segments, answers: Answers) -> Iterator[tuple[Planned, Seen]]:
    """Every row that has an answer, with the one that is shown. It needs no fold: an answer on disk is enough."""
    for planned in journal.read_rows():
        answer = answers.answer(planned.row)
        if answer is not None:
            yield planned, answer


def results(opened: Opened, *, every: bool = False) -> Iterator[dict[str, Json]]:
    """One object a row, in the manifest's order; completed rows, or with ``every`` all, with their status and error."""
    answers, state = shown_answers(opened.journal), opened.state
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
