"""Where the facts of one batch live: a grow-only set, durable on return.

Whoever stands above knows no more of it than `Journal` says, or `Intake` where he takes callbacks: no path,
no segment, no offset. A folder (`mwbatch.journal.segments.journal`) and the memory of this process
(`mwbatch.journal.memory.journal`) keep the same laws, to which every store is held by
`tests/unit/journal/laws/journal_laws.py`:

1. **Durable.** A fact is durable, and seen by every later reading, once ``append`` returned; nothing is read
   that was not appended, whatever became of the process that appended it. A caller that is cancelled takes
   nothing back and harms no other's facts; what is called ``after`` hears of the end all the same.
2. **News.** ``append`` says of each fact whether it was new. It MUST say so of an answer and of a start: an
   answer that is there is not written again, nor is a start of which any row's attempt was started before.
   (What others start while this journal is open the lock of the batch has to keep out.) An equal fact of
   another kind may be new each time, because the state is a join. What is not new is durable all the same
   when ``append`` returns.
3. **One step.** ``close_absent`` ends an attempt only where it is in doubt when that is written, by all that
   anybody's ``append`` had made durable before the call.
4. **In step.** The state that ``refresh`` gives is that of every fact that was durable before the call. One
   that it gave before is read on and not anew where the store can.
5. **In order.** Rows come in the order in which they were planned, once each, in their latest edition.
   `Answers` are as they stood when they were asked for, however often they are read.
6. **Each once.** `News` gives each row that is completed once, in the order in which the answers came.

Methods that are not async block: in a thread, or where nothing else waits. What they give is read as it is
asked for.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol, TypeVar

from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.facts.kinds import Fact, Failed, Planned, Seen
from mwbatch.core.facts.line_patterns import KeptAnswer
from mwbatch.core.state.batch import Batch
from mwbatch.core.state.task_state import Answered
from mwbatch.journal.interface.health import Health

One = TypeVar("One", bound=Fact)
"""One kind of fact."""

Chosen = Mapping[int, Answered | None]
"""What `Batch.chosen` says."""

After = Callable[[Exception | None], object]
"""Hears what became of facts that were new, whoever still waits for them: None once they are durable.

Every other append waits for it: it MUST be quick, and raise nothing.
"""


class Answers(Protocol):
    """Every row with the answer that is shown for it, as it stood when it was asked for.

    Each reading gives the same.
    """

    def __contains__(self, row: int) -> bool:
        """Whether a row has an answer; nothing is read for it."""
        ...

    def __iter__(self) -> Iterator[tuple[Planned, Seen | None]]:
        """The rows in the order in which they were planned, each read when it is its turn."""
        ...


class News(Protocol):
    """What is completed while others write."""

    quiet: bool
    """Whether the last look found nothing new of any kind."""

    def look(self) -> Iterator[tuple[Planned, Seen]]:
        """The rows that were completed since the last look with the answer that is shown.

        All at the first. Blocks.
        """
        ...


class Journal(Protocol):
    """The facts of one batch, for who sends, settles, looks or exports; ``where`` is its place in words."""

    @property
    def where(self) -> str: ...  # noqa: D102 (said above)

    async def append(self, facts: Sequence[Fact]) -> list[bool]:
        """Make ``facts`` durable and say of each whether it was new.

        Raises:
            DiskFull: none of them was written; the same call may be tried again.
            Poisoned: this journal writes nothing any more.
            Displaced: they were written, where nobody will find them.
        """
        ...

    async def close_absent(self, failed: Sequence[Failed], hold: Callable[[], None]) -> list[bool]:
        """End attempts, those of which `mwbatch.core.sweeps.doubt.ended` says so now; says which were ended.

        Once sweeps were refuted none is. ``hold`` raises where the caller is not the holder of the batch any
        more: it is asked after the reading, before anything is written. Raises as ``append``.
        """
        ...

    def rows(
        self,
        want: Callable[[int], bool] | None = None,
        type: str | None = None,  # noqa: A002 (the API's name)
    ) -> Iterator[Planned]:
        """The rows, those of one type whose number is wanted."""
        ...

    def plans(self) -> Callable[[int], Planned | None]:
        """Looks up the plan that holds for a row, as of now, by its number; None where there is none."""
        ...

    def facts(self, kind: type[One]) -> Iterator[One]:
        """Those of one kind that are neither rows nor answers, such as every `Started`."""
        ...

    def answers(self) -> Iterator[Seen]:
        """Every answer, shown or not."""
        ...

    def answered(self, chosen: Chosen | None = None) -> Answers:
        """The answers that are shown.

        ``chosen`` is what the state says of rows with several, folded where it is needed and not given.
        """
        ...

    def news(self, state: Batch) -> News:
        """Follow the batch; ``state``, which is empty, is kept in step by each look."""
        ...

    def refresh(self, state: Batch | None = None) -> Batch:
        """The state by everything that is there now: ``state`` itself, read on, or another one.

        Raises:
            StoreError: it cannot be read; ``state`` is as good as before.
        """
        ...

    def health(self) -> Health:
        """What is wrong with the store, as far as it was read and written."""
        ...

    async def close(self) -> None:
        """Finish what was begun, however often the caller is cancelled, and release what is held."""
        ...


class Intake(Protocol):
    """The same facts, for who takes callbacks.

    The answers that are there are known, so that each is stored once.
    """

    @property
    def where(self) -> str: ...  # noqa: D102 (as above)

    @property
    def backlog(self) -> int:
        """Bytes that wait to become durable: every callback asks."""
        ...

    async def append(self, facts: Sequence[Fact], after: After | None = None) -> list[bool]:
        """As `Journal.append`; once answers are learnt MUST have its place before anything is awaited.

        ``after`` hears once of the facts that were new, and nothing where none was.
        """
        ...

    def index(self, hear: Callable[[KeptAnswer], object] = lambda _: None) -> int:
        """Learn which answers are durable, so that none is stored twice.

        Returns how many. ``hear`` is told of each.
        """
        ...

    def knows(self, fact: Fact) -> bool:
        """Whether this is an answer that is known to be durable, or is on its way there."""
        ...

    def stands(self) -> bool:
        """Whether every answer that is known is there still, as far as a look can tell."""
        ...

    def facts(self, kind: type[One]) -> Iterator[One]:
        """As `Journal.facts`."""
        ...

    def callbacks(self) -> Iterator[Seen]:
        """The callbacks that brought no answer."""
        ...

    def tasks(self) -> "Tasks":
        """Follow which tasks are recorded by who asks the API."""
        ...

    def health(self) -> Health:
        """As `Journal.health`."""
        ...

    async def probe(self) -> bool:
        """Look for space where there was none; whether it is there now."""
        ...

    async def close(self) -> None:
        """As `Journal.close`."""
        ...


class Tasks(Protocol):
    """Which tasks are recorded: good for a warning and for nothing else."""

    def look(self) -> Iterator[tuple[RowNumber, Attempt, bytes]]:
        """Row, attempt and task (as JSON) of each recorded since the last look. Blocks."""
        ...
