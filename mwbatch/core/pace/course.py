"""The course of a run of creating: whether requests may leave now, and whether any ever will again.

A run sends the rows of a batch in rounds: one row of a type, all new rows, rows that are sent again. One
`Course` lasts from the first round to the last, and it alone says where the run is. What sends (`Sender`),
what lets requests through (`Gate`), what makes rows ready (`Ready`) and what asks whether the API is back
(`Prober`) follow it: whoever learns something tells the course, never another of them.

| state    | trouble  | calmed   | stop     | ended    |
|----------|----------|----------|----------|----------|
| sending  | probing  | -        | draining | sending  |
| probing  | probing  | sending  | draining | probing  |
| draining | draining | draining | draining | over     |
| over     | -        | -        | -        | -        |

- *sending*: requests leave as the pace allows.
- *probing*: too many requests left rows in doubt. Nothing leaves; a listing is asked for, ever more rarely,
  until one is answered. A round that ends like this leaves the trouble to the next one.
- *draining*: nothing leaves any more. What is in flight is finished; what was made ready and never sent is
  closed as such, so that no row is in doubt for nothing.
- *over*: every outcome is on disk. The run sends nothing, whatever is still planned.

*Trouble* is what `core.pace` makes of the outcomes, *calmed* an answered listing, *ended* that nothing of
a round is in flight and all its outcomes are on disk. *Stop* comes from wherever a run can go no further: the
user, the account, the lock, the disk, patience, a bug; it says why, and the gravest reason counts.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from mwbatch.errors import Exit

INTERRUPTED: Final = "interrupted"
"""Why a run ended that its user stopped."""


@dataclass(slots=True)
class Ending:
    """Why a run ended before its rows did, and what that means for the exit code."""

    exit: Exit = Exit.DONE
    reason: str = ""

    def because(self, exit_code: Exit, reason: str) -> None:
        """Keep the gravest reason."""
        if exit_code > self.exit:
            self.exit, self.reason = exit_code, reason


class State(Enum):
    """Where a run is."""

    SENDING = "sending"
    PROBING = "probing"
    DRAINING = "draining"
    OVER = "over"


class Event(Enum):
    """What moves it."""

    TROUBLE = "trouble"
    CALMED = "calmed"
    STOP = "stop"
    ENDED = "ended"


STOPPED: Final = (State.DRAINING, State.OVER)
"""Nothing more is started in this run."""

SENDING: Final = State.SENDING
"""As a name of its own it is looked up for each row in a sixth of the time."""

TABLE: Final[Mapping[tuple[State, Event], State]] = {
    (State.SENDING, Event.TROUBLE): State.PROBING,
    (State.SENDING, Event.STOP): State.DRAINING,
    (State.SENDING, Event.ENDED): State.SENDING,
    (State.PROBING, Event.TROUBLE): State.PROBING,
    (State.PROBING, Event.CALMED): State.SENDING,
    (State.PROBING, Event.STOP): State.DRAINING,
    (State.PROBING, Event.ENDED): State.PROBING,
    (State.DRAINING, Event.TROUBLE): State.DRAINING,
    (State.DRAINING, Event.CALMED): State.DRAINING,
    (State.DRAINING, Event.STOP): State.DRAINING,
    (State.DRAINING, Event.ENDED): State.OVER,
}
"""Every edge there is; another one is a bug of ours, and a `KeyError`."""


class Course:
    """Where one run is (``state``), and why it ended if it did before its rows (``ending``)."""

    def __init__(self) -> None:
        self.state = State.SENDING
        self.ending = Ending()
        self._followers: list[Callable[[State], None]] = []

    @property
    def stopped(self) -> bool:
        """Whether nothing more is started in this run."""
        return self.state in STOPPED

    def follow(self, hear: Callable[[State], None]) -> None:
        """Be told of each new state, after those who asked before."""
        self._followers.append(hear)

    def take(self, event: Event) -> None:
        """Go along an edge of the table."""
        before, self.state = self.state, TABLE[self.state, event]
        if self.state is not before:
            for hear in self._followers:
                hear(self.state)

    def stop(self, exit_code: Exit, reason: str) -> None:
        """Start nothing more, and say why."""
        self.ending.because(exit_code, reason)
        self.take(Event.STOP)
