"""When trouble stops the sending: the table of DESIGN 4.3."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mwbatch.core.facts import Verdict
from mwbatch.core.trouble import (
    REFUSED_IN_A_ROW,
    UNKNOWN_IN_A_ROW,
    UNKNOWN_SHARE,
    WINDOW,
    Advice,
    Trouble,
)
from mwbatch.core.verdict import Outcome

CREATED = Outcome(Verdict.CREATED)
UNKNOWN = Outcome(Verdict.UNKNOWN, message="HTTP 500")
HALTED = Outcome(Verdict.HALTED)
BUSY = Outcome(Verdict.BUSY)
BAD = Outcome(Verdict.REFUSED, message="no such picture")
WORSE = Outcome(Verdict.REFUSED, message="too large")

TABLE: list[tuple[list[Outcome], Advice]] = [
    ([UNKNOWN] * 7, Advice.GO_ON),
    ([UNKNOWN] * 8, Advice.PROBE),
    ([UNKNOWN] * 7 + [CREATED] + [UNKNOWN] * 7, Advice.GO_ON),
    ([UNKNOWN] * 7 + [BUSY, UNKNOWN], Advice.GO_ON),
    ([UNKNOWN, CREATED, CREATED, CREATED, CREATED] * 40, Advice.PROBE),
    ([UNKNOWN, CREATED, CREATED, CREATED, CREATED] * 39, Advice.GO_ON),
    (([UNKNOWN] + [CREATED] * 4) * 39 + [CREATED] * 5, Advice.GO_ON),
    ([BAD] * 19, Advice.GO_ON),
    ([BAD] * 20, Advice.STOP),
    ([CREATED] * 50 + [BAD] * 20, Advice.STOP),
    ([BAD] * 19 + [CREATED] + [BAD] * 19, Advice.GO_ON),
    ([BAD] * 19 + [WORSE] * 19, Advice.GO_ON),
    ([BAD] * 19 + [WORSE] * 20, Advice.STOP),
    ([HALTED], Advice.STOP),
    ([CREATED], Advice.GO_ON),
]


@pytest.mark.parametrize(("outcomes", "advice"), TABLE)
def test_the_table(outcomes: list[Outcome], advice: Advice) -> None:
    """8 unknowns in a row or a fifth of the last 200 ask for a probe; a halt, or 20 refusals alike,
    stop the run.
    """
    trouble = Trouble()
    assert [trouble.note(outcome) for outcome in outcomes][-1] is advice


def told(history: list[Outcome | None]) -> Advice:
    """What follows after these, counted from the start; None is a probe that was answered."""
    outcomes = [one for one in history if one is not None]
    calm = next((n for n, one in enumerate(reversed(history)) if one is None), len(history))
    last = outcomes[len(outcomes) - calm :][-WINDOW:]
    unknown = [outcome is UNKNOWN for outcome in last]
    alike = next((n for n, one in enumerate(reversed(outcomes)) if one != outcomes[-1]), len(outcomes))
    if outcomes[-1] is HALTED or (outcomes[-1] in (BAD, WORSE) and alike >= REFUSED_IN_A_ROW):
        return Advice.STOP
    many = len(last) == WINDOW and sum(unknown) >= UNKNOWN_SHARE * WINDOW
    in_a_row = unknown[-UNKNOWN_IN_A_ROW:] == [True] * UNKNOWN_IN_A_ROW
    return Advice.PROBE if many or in_a_row else Advice.GO_ON


runs = st.tuples(st.sampled_from([CREATED, UNKNOWN, BUSY, BAD, WORSE, HALTED, None]), st.integers(1, 30))
histories = st.lists(runs, min_size=1, max_size=40).map(
    lambda them: [one for one, n in them for _ in range(n)]
)


@given(histories)
@example(([UNKNOWN] + [CREATED] * 4) * 40 + [CREATED] * 400)
@example([UNKNOWN, CREATED] * 20 + [CREATED] * 300 + [UNKNOWN] * 8)
@example([*[CREATED] * 180, None, *[UNKNOWN, CREATED] * 60])
def test_counting_is_the_law(history: list[Outcome | None]) -> None:
    """What is said after each outcome is what counting them all anew says."""
    trouble = Trouble()
    for end, outcome in enumerate(history, 1):
        if outcome is None:
            trouble.calmed()
        else:
            assert trouble.note(outcome) is told(history[:end])


def test_keep_going_goes_on_through_refusals_only() -> None:
    """``keep_going`` passes over any number of refusals alike, never over a halt."""
    trouble = Trouble(keep_going=True)
    assert {trouble.note(BAD) for _ in range(100)} == {Advice.GO_ON}
    assert trouble.note(HALTED) is Advice.STOP


def test_after_a_probe_counting_begins_anew() -> None:
    """Once a listing was answered, it takes the same trouble again to ask for another."""
    trouble = Trouble()
    first = [trouble.note(UNKNOWN) for _ in range(9)]
    trouble.calmed()
    again = [trouble.note(UNKNOWN) for _ in range(8)]
    assert (first[-2:], again) == ([Advice.PROBE] * 2, [Advice.GO_ON] * 7 + [Advice.PROBE])
