"""The life of a task: what the API says of it, and what becomes of its callback.

| life     | done    | lost    | told  | refused | given up | canceled |
|----------|---------|---------|-------|---------|----------|----------|
| pending  | calling | unheard | -     | -       | -        | canceled |
| calling  | -       | -       | heard | calling | unheard  | -        |
| heard    | -       | -       | heard | heard   | -        | -        |
| unheard  | -       | -       | heard | -       | -        | -        |
| canceled | -       | -       | -     | -       | -        | canceled |

- *pending*: people have not worked on it yet. It may be canceled, now and again, and then stays so.
- *calling*: completed; its callback is due, on its way, or due once more.
- *heard*, *unheard*: completed; its callback was taken, or never will be (``callback_succeeded`` is true or
  false).

*Done* is the end of the work, *lost* the same where nobody will ever be called. *Told*: a callback, or a copy
of it, was answered 2xx; *refused*: it was not, and will be sent again unless another one was taken; *given
up*: it was not, for the last time. A completed task cannot be canceled: that edge is missing, and the API
answers 500. What is born, and what is shown of a task at an earlier moment, is no matter of its life.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final, Literal

Status = Literal["pending", "completed", "canceled"]


class Life(Enum):
    """Where a task stands: the API's ``status``, and whether its callback ``succeeded`` (None: not yet)."""

    PENDING = "pending", "pending", None
    CALLING = "calling", "completed", None
    HEARD = "heard", "completed", True
    UNHEARD = "unheard", "completed", False
    CANCELED = "canceled", "canceled", None

    status: Status
    succeeded: bool | None

    def __new__(cls, word: str, status: Status, succeeded: bool | None) -> "Life":
        """Name a state by its word alone."""
        life = object.__new__(cls)
        life._value_, life.status, life.succeeded = word, status, succeeded
        return life


class Event(Enum):
    """What happens to a task."""

    DONE = "done"
    LOST = "lost"
    TOLD = "told"
    REFUSED = "refused"
    GIVEN_UP = "given up"
    CANCELED = "canceled"


TABLE: Final[Mapping[tuple[Life, Event], Life]] = {
    (Life.PENDING, Event.DONE): Life.CALLING,
    (Life.PENDING, Event.LOST): Life.UNHEARD,
    (Life.PENDING, Event.CANCELED): Life.CANCELED,
    (Life.CALLING, Event.TOLD): Life.HEARD,
    (Life.CALLING, Event.REFUSED): Life.CALLING,
    (Life.CALLING, Event.GIVEN_UP): Life.UNHEARD,
    (Life.HEARD, Event.TOLD): Life.HEARD,
    (Life.HEARD, Event.REFUSED): Life.HEARD,
    (Life.UNHEARD, Event.TOLD): Life.HEARD,
    (Life.CANCELED, Event.CANCELED): Life.CANCELED,
}
"""Every edge there is; another one is a bug of ours, and a `KeyError`."""
