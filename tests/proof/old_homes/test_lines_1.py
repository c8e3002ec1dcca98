"""Files stay as they are, byte for byte: what an earlier writer wrote is read so, and written so again."""

from pathlib import Path
from typing import Final

import pytest

from mwbatch.core.api import unusable as reject
from mwbatch.core.api.unusable import Unusable
from mwbatch.core.facts import lines
from mwbatch.core.facts.kinds import NAMES, Seen
from tests.proof.old_homes.lines import read, written
from tests.unit.core.facts.test_lines import kept

HERE: Final = Path(__file__).parent
SEGMENTS: Final = sorted((HERE / "home-1" / "home").glob("*/*/*.jsonl"))
SAID: Final = (HERE / "lines-1.txt").read_bytes().split(b"\n")[:-1]


@pytest.mark.parametrize(("spelling", "text"), [*zip(SAID[::2], SAID[1::2], strict=True)])
def test_a_fact_has_the_line_that_it_had(spelling: bytes, text: bytes) -> None:
    """Each kept fact is written as the bytes that stand there, and those are read as that fact."""
    fact = read(spelling)
    assert written(fact) == text + b"\n"
    if isinstance(fact, Unusable):
        assert reject.parse(text) == fact
    else:
        assert lines.parse(text) == kept(fact)


def test_every_kind_is_kept() -> None:
    """There are lines of every kind of fact, with a body and without, and of callbacks that did not fit."""
    there = [read(spelling) for spelling in SAID[::2]]
    assert {type(fact) for fact in there} == {*NAMES, Unusable}
    assert {fact.body is None for fact in there if isinstance(fact, Seen)} == {True, False}


@pytest.mark.parametrize("path", SEGMENTS, ids=lambda path: "-".join(path.parts[-3:-1]))
def test_a_kept_home_would_be_written_again(path: Path) -> None:
    """Every line of the home that an earlier version made is what the writer makes of the fact in it."""
    texts = path.read_bytes().splitlines(keepends=True)
    assert [lines.line(lines.parse(text[:-1])) for text in texts] == texts
    assert texts
