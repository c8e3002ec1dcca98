"""One byte says what the law says: for every code that a row in columns can have, whatever is asked."""

from typing import Final

import pytest

from mwbatch.core.facts.kinds import Fact, Seen, Via
from mwbatch.core.state import codes, questions
from mwbatch.core.state.batch import Batch
from mwbatch.core.state.codes import CODES, DETACHED, Question
from mwbatch.core.state.row_status import Row
from tests.support.facts import plan, start, withdraw
from tests.support.in_columns import TIMES, folded, in_columns

ASKED: Final = {name: one for name, one in vars(questions).items() if isinstance(one, Question)}


def showing(via: Via, status: str, says: str = "") -> Seen:
    """One more showing of the task of row 0."""
    return in_columns(0, "a" * 17, status, TIMES[2], says, TIMES[3], via)


def history(code: int) -> list[Fact]:
    """Facts of row 0 that leave it with a code."""
    facts: dict[int, Fact] = {codes.PLANNED: plan(0), codes.STARTED: start(1), codes.WITHDRAWN: withdraw(1)}
    if code & codes.SHOWN:
        via = Via.GET if code & codes.CONFIRMED else Via.CALLBACK
        facts |= {
            codes.SHOWN: showing(via, "pending"),
            codes.DONE: showing(via, "completed"),
            codes.CANCELED: showing(via, "canceled"),
            codes.ANSWERED: showing(via, "pending", "yes"),
        }
    return [fact for bit, fact in facts.items() if code & bit]


@pytest.mark.parametrize("code", sorted(CODES))
def test_a_code_says_what_its_row_says(code: int) -> None:
    """Whatever is asked, the table answers for a code as the row does that is folded from the same facts."""
    batch, row = Batch(history(code)), folded(history(code))[0]
    assert batch._rows.columns.codes[0] == code
    assert batch.row(0) == row
    for name, question in ASKED.items():
        assert (name, question.table[code]) == (name, question(row))
        assert batch._rows.ask(question, 0) == question(row)


@pytest.mark.parametrize("code", sorted(CODES))
def test_what_is_asked_of_objects_alone_is_said_by_no_code(code: int) -> None:
    """No row in columns has surplus, a conflict, an answer that was chosen, or attempts made in vain."""
    row = folded(history(code))[0]
    assert (row.surplus, row.conflicts, row.refuted, row.exhausted) == ([], [], False, False)
    assert len(row.tasks) <= 1
    assert Batch(history(code)).chosen() == {}


def test_what_is_no_code_says_nothing() -> None:
    """A number that nobody named answers as an empty row does; that of an object is asked of the object."""
    for question in ASKED.values():
        assert len(question.table) == 256
        assert question.table[0] == question(Row())
        assert not any(question.table[code] for code in range(1, 256) if code not in CODES)
    assert DETACHED not in CODES


def test_nobody_is_counted_whom_nobody_named() -> None:
    """What is counted or listed over all rows is nothing that an empty row would say of itself."""
    single = {"FREE", "IDLE"}
    assert {name for name, question in ASKED.items() if question(Row())} == single
