"""Whether callbacks can be taken now, and if not, why.

Load balancers ask for it, and people who look after a receiver. What comes once is told as it happens; what
comes and goes, space and the home itself, is looked at whenever somebody asks: one look is one event.

| state         | listening | fine          | full          | gone          | failed        | closing       |
|---------------|-----------|---------------|---------------|---------------|---------------|---------------|
| starting      | ready     | starting      | starting      | starting      | poisoned      | shutting_down |
| ready         | -         | ready         | disk_full     | home_gone     | poisoned      | shutting_down |
| disk_full     | -         | ready         | disk_full     | home_gone     | poisoned      | shutting_down |
| home_gone     | -         | ready         | disk_full     | home_gone     | poisoned      | shutting_down |
| poisoned      | poisoned  | poisoned      | poisoned      | poisoned      | poisoned      | shutting_down |
| shutting_down | -         | shutting_down | shutting_down | shutting_down | shutting_down | shutting_down |

- *starting*: the journals are being read, and nobody listens yet.
- *ready*: callbacks are taken.
- *disk_full*: it goes on by itself, once there is space.
- *home_gone*: the data folder is not there, or is an empty one in its place; it goes on by itself, once it is
  back.
- *poisoned*: a disk failed for good: only another process can go on.
- *shutting_down*: what is in flight is still answered.
"""

from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import Final


class State(StrEnum):
    """A closed set, read by machines."""

    STARTING = "starting"
    READY = "ready"
    DISK_FULL = "disk_full"
    HOME_GONE = "home_gone"
    POISONED = "poisoned"
    SHUTTING_DOWN = "shutting_down"


class Event(Enum):
    """What happens to a receiver, or is seen by a look at its stores (`FINE`, `FULL`, `GONE`)."""

    LISTENING = "listening"
    FINE = "fine"
    FULL = "full"
    GONE = "gone"
    FAILED = "failed"
    CLOSING = "closing"


_LOOKED: Final = {Event.FINE: State.READY, Event.FULL: State.DISK_FULL, Event.GONE: State.HOME_GONE}
_LISTENING: Final = (State.READY, State.DISK_FULL, State.HOME_GONE)

TABLE: Final[Mapping[tuple[State, Event], State]] = {
    (State.STARTING, Event.LISTENING): State.READY,
    (State.POISONED, Event.LISTENING): State.POISONED,
    **{(state, event): state for state in (State.STARTING, State.POISONED) for event in _LOOKED},
    **{(state, event): seen for state in _LISTENING for event, seen in _LOOKED.items()},
    **{(state, Event.FAILED): State.POISONED for state in State},
    **{(state, Event.CLOSING): State.SHUTTING_DOWN for state in State},
    **{(State.SHUTTING_DOWN, event): State.SHUTTING_DOWN for event in (*_LOOKED, Event.FAILED)},
}
"""Every edge there is; another one is a bug of ours, and a `KeyError`."""


class Readiness:
    """Whether one receiver is ready (``state``)."""

    def __init__(self) -> None:
        self.state = State.STARTING

    def take(self, event: Event) -> None:
        """Go along an edge of the table."""
        self.state = TABLE[self.state, event]
