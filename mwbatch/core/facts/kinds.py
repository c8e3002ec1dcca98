"""The facts: what happened, in the past tense, never changed; and the request that a row was planned with.

Each kind is one immutable class: a tuple where there is one a row, because it is made four times as fast as a
frozen dataclass. `mwbatch.core.facts.lines` writes a fact as one line of a segment and reads it back. Times
named ``at`` are this machine's clock in seconds since the epoch: people look at them, no rule does.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple, NotRequired, TypedDict

from mwbatch.core.codec.ids import Attempt, Kid, RowNumber, Strange
from mwbatch.core.codec.json_codec import Json


class Via(StrEnum):
    """How the API showed us a task."""

    CREATE = "create"
    CALLBACK = "callback"
    GET = "get"
    LIST = "list"
    CANCEL = "cancel"


CONFIRMING: Final = frozenset(Via) - {Via.CALLBACK}
"""How the API itself shows a task, asked under our key. A callback comes from whoever knows the address."""


class Verdict(StrEnum):
    """What the outcome of a create proves.

    ``absent`` is only ever drawn from sweeps, and so is ``denied``, where callbacks had named tasks: the API,
    asked for each, knows none at that address.
    """

    CREATED = "created"
    REFUSED = "refused"
    HALTED = "halted"
    BUSY = "busy"
    UNSENT = "unsent"
    UNKNOWN = "unknown"
    ABSENT = "absent"
    DENIED = "denied"


class SentTag(TypedDict):
    """A box that people are asked about, in pixels, as it is sent."""

    id: str
    left: float
    top: float
    width: float
    height: float


EDGES: Final = ("id", "left", "top", "width", "height")
"""The fields of a tag that are sent; a tag that came from a tagging answer holds more."""


class Request(TypedDict):
    """What a row asks for, under the API's own names: tagging has ``objects_to_tag``,
    annotating all the others.
    """

    image_url: str
    objects_to_tag: NotRequired[str]
    instruction: NotRequired[str]
    annotation_option: NotRequired[Sequence[str]]
    tags: NotRequired[Sequence[SentTag]]


class Planned(NamedTuple):
    """The manifest was read: this row is to be labelled. ``request`` holds the API's own field names.

    A row whose URL was signed anew before it was sent is planned again with a greater ``edition``; the
    greatest holds.
    """

    at: float
    row: RowNumber
    id: str
    line: int
    type: str
    request: Request
    columns: dict[str, Json]
    edition: int = 0


@dataclass(frozen=True, slots=True)
class Started:
    """Written before the create requests of ``rows``, half-open ranges ``(from, to)``, may leave.

    ``editions`` has ``(row, edition)`` of those that are sent in another edition than the first. ``number``
    counts the starts of the batch from 1, so that one that is missing shows; 0 where an older version wrote
    it.
    """

    at: float
    rows: tuple[tuple[int, int], ...]
    attempt: Attempt
    base: str
    origin: str
    key: str
    kid: Kid
    clock: str | None = None
    editions: tuple[tuple[int, int], ...] = ()
    number: int = 0


class Seen(NamedTuple):
    """The API showed a task for an attempt.

    ``status`` and the times are the API's own words. With an answer, ``body`` is the whole JSON text as it
    came, ``sha256`` of the original bytes, and ``answer`` a digest of the canonical ``response``: two answers
    of one task whose ``answer`` differs are a conflict.
    """

    at: float
    row: RowNumber
    attempt: Attempt
    task_id: str
    status: str
    via: Via | Strange
    created_at: str | None = None
    completed_at: str | None = None
    answer: str | None = None
    sha256: str | None = None
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """An attempt made no task. ``final``: the row is rejected; else it may be attempted again."""

    at: float
    row: RowNumber
    attempt: Attempt
    verdict: Verdict | Strange
    final: bool
    status: int | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Retried:
    """The user opened ``attempt`` for a row that was rejected, canceled or in doubt."""

    at: float
    row: RowNumber
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The user gave the row up: ``attempt`` must never start."""

    at: float
    row: RowNumber
    attempt: Attempt


Fact = Planned | Started | Seen | Failed | Retried | Withdrawn
KINDS: Final[dict[str, Callable[..., Fact]]] = {
    "planned": Planned,
    "started": Started,
    "seen": Seen,
    "failed": Failed,
    "retried": Retried,
    "withdrawn": Withdrawn,
}
"""Each kind by its name in a line."""

NAMES: Final[dict[Any, str]] = {kind: name for name, kind in KINDS.items()}
"""The name of each kind in a line."""
