"""The line of progress: it fits, and what it says is whole."""

import re

from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.report.progress import Tally
from mwbatch.views.terminal.line import GAP, LEAST_BAR, line, sentence, time_text

COUNTS = st.integers(0, 10_000_000)
TALLIES = st.builds(
    Tally,
    phase=st.sampled_from(
        ["creating tasks", "looking through the account", "12 rows in doubt are settled in 140 s"]
    ),
    done=COUNTS,
    total=COUNTS,
    of_bytes=st.booleans(),
    in_flight=COUNTS,
    doubt=COUNTS,
    rejected=COUNTS,
    trouble=st.sampled_from(["", "no connection", "the API fails (HTTP 503)"]),
    until=st.floats(0, 100),
)


@given(TALLIES, st.integers(30, 200))
def test_it_fits(tally: Tally, columns: int) -> None:
    """No line is wider than there is room for, and every word and number in it is whole."""
    there = line(tally, columns, 0.0, "02:10 left")
    drawn = GAP.join(filter(None, (there.phase, "━" * there.bar, there.words)))
    assert len(drawn) <= columns
    assert there.bar == 0 or there.bar >= LEAST_BAR
    whole = f"{tally.phase} {sentence(tally, 0.0)} {line(tally, 999, 0.0, '02:10 left').words}"
    assert set(drawn.replace("━", " ").split()) <= set(whole.split())


@given(TALLIES)
def test_all_is_told_where_there_is_just_room(tally: Tally) -> None:
    """What is as wide as the terminal stands there whole."""
    whole = line(tally, 999, 0.0, "02:10 left")
    drawn = GAP.join(filter(None, (whole.phase, "━" * LEAST_BAR * bool(whole.bar), whole.words)))
    there = line(tally, len(drawn), 0.0, "02:10 left")
    assert (there.words, there.bar) == (whole.words, LEAST_BAR * bool(whole.bar))


@given(TALLIES)
def test_what_matters_most_stays(tally: Tally) -> None:
    """At 55 columns trouble is told whole; without any, what is done of how much is."""
    there = line(tally, 55, 0.0)
    told = f"{there.phase}{GAP}{there.words}"
    if tally.trouble:
        assert f"{tally.trouble}, trying again" in told
    elif tally.total and len(tally.phase) < 30:
        assert re.search(r"[\d.,]+/[\d.,]+", there.words)


def test_bytes_and_trouble_are_told() -> None:
    """A manifest is read by its bytes; what is waited for has its seconds."""
    assert sentence(Tally("checking the manifest", 12_300_000, 88_140_000, of_bytes=True), 0.0) == (
        "checking the manifest: 12.3 of 88.1 MB"
    )
    tally = Tally("asking the API")
    tally.wait("no connection", 14.2)
    assert sentence(tally, 10.5) == "asking the API: no connection, trying again in 4 s"
    assert sentence(tally, 20.0) == "asking the API: no connection, trying again"
    assert line(tally, 80, 10.5).words == "no connection, trying again in 4 s"


def test_a_time_as_clocks_show_it() -> None:
    """Minutes and seconds, hours before them where there are any; none of a time that nobody knows,
    or that is over.
    """
    assert [time_text(t, " left") for t in (None, 0.0, 0.2, 61, 3725)] == [
        "",
        "",
        "00:01 left",
        "01:01 left",
        "1:02:05 left",
    ]
