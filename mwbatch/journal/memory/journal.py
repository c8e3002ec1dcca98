"""A journal in the memory of this process.

The twin that tests and virtual time use, open as often as you like.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import compress
from typing import Final

from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.codec.json_codec import encode
from mwbatch.core.facts.digests import identity
from mwbatch.core.facts.kinds import Fact, Failed, Planned, Seen, Started, Via
from mwbatch.core.facts.line_patterns import KeptAnswer
from mwbatch.core.spending.plan import precedence
from mwbatch.core.state.batch import Batch
from mwbatch.core.state.row_status import Status
from mwbatch.core.state.starts import Starts
from mwbatch.core.state.task_state import answered
from mwbatch.core.sweeps.doubt import ended
from mwbatch.journal.interface.health import Health
from mwbatch.journal.interface.journal import After, Chosen, One

SOUND: Final = Health()
"""Nothing is ever wrong with memory."""


class Memory:
    """Facts in a list; durable for as long as the process lives."""

    def __init__(self) -> None:
        self.where, self.backlog = "memory", 0
        self.facts_: list[Fact] = []
        self._known: set[bytes] = set()
        self._starts = Starts()

    async def append(self, facts: Sequence[Fact], after: After | None = None) -> list[bool]:
        """Keep the new ones."""
        new = [self._keep(fact) for fact in facts]
        if after is not None and any(new):
            after(None)
        return new

    def _keep(self, fact: Fact) -> bool:
        if isinstance(fact, Started) and not self._starts.claim(fact):
            return False
        if key := identity(fact):
            if key in self._known:
                return False
            self._known.add(key)
        self.facts_.append(fact)
        return True

    def take_out(self, count: int) -> None:
        """Let go of the first facts, which are elsewhere now."""
        for fact in self.facts_[:count]:
            self._known.discard(identity(fact) or b"")
        del self.facts_[:count]

    async def close_absent(self, failed: Sequence[Failed], hold: Callable[[], None]) -> list[bool]:
        """End attempts that are in doubt still."""
        state = self.refresh()
        hold()
        ends = ended(state, failed)
        await self.append([*compress(failed, ends)])
        return ends

    def rows(
        self,
        want: Callable[[int], bool] | None = None,
        type: str | None = None,  # noqa: A002 (the API's name)
    ) -> Iterator[Planned]:
        """The rows, in the order in which they were planned."""
        for row, planned in self._plans().items():
            if (want is None or want(row)) and type in (None, planned.type):
                yield planned

    def plans(self) -> Callable[[int], Planned | None]:
        """Looks up the plan that holds for a row."""
        return self._plans().get

    def _plans(self) -> dict[int, Planned]:
        plans: dict[int, Planned] = {}
        for fact in self.facts_:
            if isinstance(fact, Planned):
                plans[fact.row] = max(plans.get(fact.row, fact), fact, key=precedence)
        return plans

    def facts(self, kind: type[One]) -> Iterator[One]:
        """Those of one kind that are neither rows nor answers."""
        return (fact for fact in [*self.facts_] if isinstance(fact, kind) and not identity(fact))

    def answers(self) -> Iterator[Seen]:
        """Every answer."""
        return (fact for fact in [*self.facts_] if isinstance(fact, Seen) and fact.answer is not None)

    def answered(self, chosen: Chosen | None = None) -> "_Shown":
        """The answers that are shown now."""
        return _Shown(self, self.refresh().chosen() if chosen is None else chosen)

    def news(self, state: Batch) -> "_News":
        """Follow what is completed."""
        return _News(self, state)

    def refresh(self, state: Batch | None = None) -> Batch:
        """The state by everything that is there now, made anew: the facts are few."""
        del state
        return Batch([*self.facts_])

    def health(self) -> Health:
        """Sound."""
        return SOUND

    def index(self, hear: Callable[[KeptAnswer], object] = lambda _: None) -> int:
        """Tell of each answer: all are known."""
        for seen in self.answers():
            hear(KeptAnswer(identity(seen) or b"", seen.row, seen.attempt, seen.task_id))
        return len(self._known)

    def knows(self, fact: Fact) -> bool:
        """Whether this is an answer that is there."""
        return identity(fact) in self._known

    def stands(self) -> bool:
        """Nobody can take anything out of it."""
        return True

    def callbacks(self) -> Iterator[Seen]:
        """The callbacks that brought no answer."""
        return (fact for fact in self.facts(Seen) if fact.via is Via.CALLBACK)

    def tasks(self) -> "_Tasks":
        """Follow which tasks are recorded."""
        return _Tasks(self)

    async def probe(self) -> bool:
        """There is always space."""
        return True

    async def close(self) -> None:
        """Nothing to release."""


class _Shown:
    def __init__(self, journal: Memory, chosen: Chosen) -> None:
        self._rows, self._answers = [*journal.rows()], dict[int, Seen]()
        for seen in sorted(journal.answers(), key=answered):
            least = chosen.get(seen.row, answered(seen))
            if least == answered(seen):
                self._answers.setdefault(seen.row, seen)

    def __contains__(self, row: int) -> bool:
        return row in self._answers

    def __iter__(self) -> Iterator[tuple[Planned, Seen | None]]:
        return ((planned, self._answers.get(planned.row)) for planned in self._rows)


class _News:
    def __init__(self, journal: Memory, state: Batch) -> None:
        self._journal, self._state, self._read = journal, state, 0
        self._told: set[int] = set()
        self.quiet = False

    def look(self) -> Iterator[tuple[Planned, Seen]]:
        facts = self._journal.facts_
        self.quiet = self._read == len(facts)
        for fact in facts[self._read :]:
            self._state.add(fact)
        self._read = len(facts)
        shown = {planned.row: (planned, seen) for planned, seen in self._journal.answered() if seen}
        for seen in self._journal.answers():
            row = seen.row
            if row in shown and row not in self._told and self._state.row(row).status is Status.COMPLETED:
                self._told.add(row)
                yield shown[row]


class _Tasks:
    def __init__(self, journal: Memory) -> None:
        self._journal, self._read = journal, 0

    def look(self) -> Iterator[tuple[RowNumber, Attempt, bytes]]:
        facts = self._journal.facts_
        while self._read < len(facts):
            fact = facts[self._read]
            self._read += 1
            if isinstance(fact, Seen) and fact.answer is None:
                yield fact.row, fact.attempt, encode(fact.task_id)
