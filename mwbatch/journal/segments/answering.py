"""Rows beside their answers, in the order of the rows, each read from its folder when it is its turn."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mwbatch.core.facts.kinds import Planned, Seen
from mwbatch.core.state.columns import Holders
from mwbatch.journal.interface.journal import Chosen
from mwbatch.journal.segments.offsets import Answers

if TYPE_CHECKING:
    from mwbatch.journal.segments.journal import Segments


class ChosenAnswers:
    """The answer that is shown for each row, as all of them stood on disk when this was made.

    12 bytes a row.
    """

    def __init__(self, journal: "Segments", chosen: Chosen | None) -> None:
        self._journal = journal
        if chosen is None and is_mixed_up(journal):
            chosen = journal.refresh().chosen()
        self._answers = Answers(journal.answered_rows())
        if self._answers.disputed and chosen is None:
            chosen = journal.refresh().chosen()
        for row, least in (chosen or {}).items():
            if least is None:
                self._answers.forget(row)
            else:
                self._answers.settle(row, least)
        self._answers.release()

    def __contains__(self, row: int) -> bool:
        return row in self._answers

    def __iter__(self) -> Iterator[tuple[Planned, Seen | None]]:
        try:
            for planned in self._journal.rows():
                yield planned, self._answers.answer(planned.row)
        finally:
            self._answers.release()


def is_mixed_up(journal: "Segments") -> bool:
    """Whether a task may show at several rows.

    A look that takes much less memory than the state, which knows it.
    """
    first = Holders(lambda _row, _task_id: True)
    return any(first.claim(task_id, row) != row for row, task_id in journal.shown_tasks())
