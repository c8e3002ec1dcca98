"""``python -m tests.proof.old_homes.lines FILE``: write facts of all kinds, and their lines.

``lines-1.txt`` was written by commit 9d38208, whose writer had a function for each kind. It is never made
anew.
"""

import re
import sys
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from mwbatch.core.api import unusable as reject
from mwbatch.core.api.address import Address
from mwbatch.core.api.unusable import Unusable
from mwbatch.core.codec.ids import Attempt, Kid, RowNumber, Strange
from mwbatch.core.facts import kinds, lines
from mwbatch.core.facts.kinds import Fact, Seen
from tests.support import facts
from tests.support.in_columns import showings

KINDS = {kind.__name__: kind for kind in [*kinds.NAMES, Unusable]}
"""What the spelling of a fact, or of a callback that did not fit, may name."""

rejects = st.builds(
    Unusable.of,
    st.just(Address(Kid("k1"), "b234567890", RowNumber(7), Attempt(2), "0" * 32)),
    st.sampled_from(["not_json", "type"]),
    st.binary(max_size=40),
    facts.moments,
    st.integers(0, 40),
)
HOW_MANY: dict[st.SearchStrategy[Any], int] = {
    facts.planned: 40,
    facts.started: 25,
    facts.seen: 50,
    showings: 30,
    facts.failed: 20,
    rejects: 12,
}
HOW_MANY |= {facts.retried: 3, facts.withdrawn: 3}
_EXPONENT = re.compile(rb"[0-9]e[+-][0-9]").search
"""How such numbers are spelled is a matter of the JSON library, and of its version."""


def spelled(fact: Fact | Unusable) -> bytes:
    """A fact as Python reads it again."""
    if isinstance(fact, Seen):
        fact = fact._replace(via=Strange(str(fact.via)))
    return ascii(fact).encode()


def read(spelling: bytes) -> Fact | Unusable:
    """The fact again."""
    fact: Fact | Unusable = eval(spelling, KINDS)
    return fact


def written(fact: Fact | Unusable) -> bytes:
    """Its line, as the code that is there writes it."""
    return reject.line(fact) if isinstance(fact, Unusable) else lines.line(fact)


def drawn(strategy: st.SearchStrategy[Fact | Unusable], most: int) -> list[Fact | Unusable]:
    """Some facts, the same each time."""
    found: dict[bytes, Fact | Unusable] = {}

    @seed(1)
    @settings(max_examples=most, database=None, suppress_health_check=[*HealthCheck])
    @given(strategy)
    def draw(fact: Fact | Unusable) -> None:
        if not _EXPONENT(written(fact)):
            found[spelled(fact)] = fact

    draw()
    return [*found.values()]


def main() -> None:
    """Write the file."""
    there = [fact for strategy, most in HOW_MANY.items() for fact in drawn(strategy, most)]
    Path(sys.argv[1]).write_bytes(b"".join(spelled(fact) + b"\n" + written(fact) for fact in there))


if __name__ == "__main__":
    main()
