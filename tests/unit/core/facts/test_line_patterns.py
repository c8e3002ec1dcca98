"""Looking at lines: what is seen there is what reading them would say, for every line."""

from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mwbatch.core.codec.ids import Attempt
from mwbatch.core.codec.json_codec import as_bytes, encode
from mwbatch.core.facts.digests import identity
from mwbatch.core.facts.kinds import Fact, Planned, Retried, Seen, Via
from mwbatch.core.facts.line_patterns import (
    EDITION,
    STATUSES,
    KeptAnswer,
    answered_row,
    bare_callback,
    glance,
    kept_answer,
    named_task,
    only,
    plans_of,
    renewed_plan,
    shown_task,
)
from mwbatch.core.facts.lines import BadLine, line, parse
from mwbatch.core.state.columns import shown_by, shown_in
from tests.support.facts import ATTEMPTS, facts, histories, plan
from tests.support.in_columns import TIMES, in_columns, showings

lines = st.lists(showings | facts | st.builds(plan, st.integers(0, 3)), max_size=6) | histories
"""Facts that are mostly in the plain form."""


@given(lines)
@example([in_columns(0, "wjTSaCS9sq5AnvEzM", "completed", TIMES[2], "yes", TIMES[3])])
def test_a_look_says_what_reading_says(there: list[Fact]) -> None:
    """Each way to look at a line finds what stands in its fact, and nothing where that has no such thing."""
    for fact in there:
        text, seen = line(fact)[:-1], fact if isinstance(fact, Seen) else None
        answer = seen if seen is not None and seen.answer is not None else None
        name = identity(fact)
        assert kept_answer(text) == (
            answer and name and KeptAnswer(name, answer.row, answer.attempt, answer.task_id)
        )
        assert answered_row(text) == (answer and answer.row)
        assert shown_task(text) == (seen and (seen.row, as_bytes(seen.task_id)))
        assert named_task(text) == (seen and (seen.row, seen.attempt, encode(seen.task_id)))
        again = parse(text)
        assert only(Planned)(text) == (again if isinstance(fact, Planned) else None)
        assert only(Seen)(text) == (again if seen else None)
        assert only(Retried)(text) == (again if isinstance(fact, Retried) else None)
        assert bare_callback(text) == (again if seen and seen.via == Via.CALLBACK else None)
        renewed = isinstance(fact, Planned) and fact.edition > 0
        assert (renewed_plan(text), EDITION in text or not renewed) == (again if renewed else None, True)


@given(lines, st.sets(st.integers(0, 3)), st.none() | st.sampled_from(["tagging", "annotating", "é\ud83d"]))
def test_plans_are_found_by_number_and_type(there: list[Fact], numbers: set[int], of: str | None) -> None:
    """Of the plans, those whose row is wanted are read, but for some of another type; and nothing else."""
    for fact in there:
        found = plans_of(numbers.__contains__, of)(line(fact)[:-1])
        wanted = fact if isinstance(fact, Planned) and fact.row in numbers else None
        assert found in (None, wanted)
        assert found is not None or wanted is None or of not in (None, wanted.type)


@given(lines)
def test_what_a_line_shows_is_what_its_fact_shows(there: list[Fact]) -> None:
    """What is plain to see in a line is taken as its fact would be; all that is not has to be read."""
    for fact in there:
        found = glance(line(fact)[:-1])
        if isinstance(fact, Planned):
            assert found is None or (found["plan"] and int(found["row"]) == fact.row)
        elif found is not None:
            assert isinstance(fact, Seen)
            assert shown_in(found) == shown_by(fact)


@pytest.mark.parametrize(("status", "via"), [*product(STATUSES, Via)])
@pytest.mark.parametrize(("created", "completed"), [*product([None, TIMES[2]], repeat=2)])
@pytest.mark.parametrize("says", ["", "yes"])
def test_nearly_every_line_is_plain(
    status: str, via: Via, created: str | None, completed: str | None, says: str
) -> None:
    """Whatever the API says of a task of the first attempt is plain to see, and so is a plan."""
    fact = in_columns(7, "wjTSaCS9sq5AnvEzM", status, created, says, completed, via)
    found = glance(line(fact)[:-1])
    assert found is not None
    assert shown_in(found) == shown_by(fact)
    assert glance(line(plan(7))[:-1]) is not None
    assert all(glance(line(fact._replace(attempt=Attempt(n)))[:-1]) is None for n in range(2, ATTEMPTS))


def test_what_is_found_has_names_in_an_order() -> None:
    """What columns unpack in one go is found in the order in which they name it."""
    found = glance(line(in_columns(7, "a" * 17, "pending", TIMES[2], "yes", TIMES[3], Via.GET))[:-1])
    assert found is not None
    order = ("plan", "row", "task", "status", "via", "created", "completed", "answer", "sha256")
    assert found.groups() == found.group(*order)
    assert None not in found.groups()[1:]


def test_only_what_is_proved_is_looked_at() -> None:
    """A line whose checksum is wrong shows nothing."""
    text = line(plan(1))[:-1].replace(b'"row":1', b'"row":2')
    for look in (glance, kept_answer, answered_row, shown_task):
        with pytest.raises(BadLine):
            look(text)
