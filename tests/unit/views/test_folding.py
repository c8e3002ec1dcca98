"""Sentences on a narrow terminal."""

from hypothesis import given
from hypothesis import strategies as st

from mwbatch.views.terminal.folding import fold

WORDS = st.lists(
    st.sampled_from(
        ["a", "sentence", "of", "words;", "(with", "marks)", "/a/path/that/is/longer/than/most/lines/are"]
    ),
    min_size=1,
    max_size=40,
)
COMMAND = "mwbatch reconcile logos --list differing"


@given(WORDS, st.integers(20, 100))
def test_words_are_whole(words: list[str], columns: int) -> None:
    """Every word is there, in its order and whole; no line of several words is wider than the terminal,
    but before a path.
    """
    lines = fold(" ".join(words), columns).split("\n")
    assert " ".join(lines).split() == words
    assert all(len(line) <= columns or "/" in line for line in lines)


@given(WORDS, WORDS, st.integers(20, 100))
def test_a_command_stays_on_one_line(before: list[str], behind: list[str], columns: int) -> None:
    """Half of a command is never pasted: it stands on one line, however narrow the terminal is."""
    text = f"{' '.join(before)}: {COMMAND}, {' '.join(behind)}"
    assert any(COMMAND in line for line in fold(text, columns).split("\n"))


def test_an_indent_and_a_table_stay() -> None:
    """What is folded goes on below its beginning; a line of a table is left alone."""
    assert fold("  a note of words", 10) == "  a note\n  of words"
    assert fold("1\t2\t" + "x " * 50, 10) == "1\t2\t" + "x " * 50
