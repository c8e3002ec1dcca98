"""What goes wrong, and for whom: decided by hashing, so that a run can be repeated whatever its interleaving.

A fault is drawn from the callback address and from how often that address was asked for, never from the order
in which requests arrive; a script names requests by their ordinal instead, counted from 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from mwbatch.simulator.world.chance import fraction


class Fault(StrEnum):
    """Every way in which the simulator can misbehave.

    ``one_task_id``: a create makes its task, and is answered with the id of the account's first one.
    ``callback_invented`` and ``callback_other``: somebody who read an address posts to it, before the true
    callback, an answer of his own for a task that does not exist, or for another one of the account.
    ``echo_altered``: a task is shown with an address of which the last character is another one.
    ``created_at_apart``: what dates tasks is ``created_at_offset_s`` ahead of the ``Date`` header, and
    listings go by it. ``created_at_local``: dates are local time without a zone, and listings go by UTC.
    ``created_at_form``: dates are written in the `Form` of that size; without one each task draws its own.
    ``listed_otherwise``: listings show another answer of a task than callbacks and retrieve do.
    ``get_other``, ``cancel_other``: a GET, a cancel does what it should and is answered with another task.
    ``no_date``: no ``Date`` header. ``date_apart``: it is ``date_offset_s`` ahead. ``list_abridged``:
    listings show the first tag's id alone of every answer. ``list_offset_ignored``: each page is the first
    one, and there is always more. ``list_cached``: a proxy answers from what it kept for the same limit and
    offset, whatever the times, for ``list_cached_s``, unless ``Cache-Control: no-cache`` is sent.
    """

    CREATED_500 = "created_500"
    CREATED_503 = "created_503"
    CREATED_CUT = "created_cut"
    CREATED_TIMEOUT = "created_timeout"
    CREATED_307 = "created_307"
    CREATED_LATE = "created_late"
    ANSWER_CUT = "answer_cut"
    ANSWER_RUBBISH = "answer_rubbish"
    ANSWER_BAD_HEADERS = "answer_bad_headers"
    STRAY_ANSWER = "stray_answer"
    ONE_TASK_ID = "one_task_id"
    PROXIED_TWICE = "proxied_twice"
    BUSY = "busy"
    NOT_CREATED_500 = "not_created_500"
    NOT_CREATED_503 = "not_created_503"

    CALLBACK_LOST = "callback_lost"
    CALLBACK_EARLY = "callback_early"
    CALLBACK_TWICE = "callback_twice"
    CALLBACK_LATE = "callback_late"
    CALLBACK_WRONG = "callback_wrong"
    CALLBACK_INVENTED = "callback_invented"
    CALLBACK_OTHER = "callback_other"

    NO_ECHO = "no_echo"
    ECHO_ALTERED = "echo_altered"
    CREATED_AT_TIES = "created_at_ties"
    CREATED_AT_APART = "created_at_apart"
    CREATED_AT_LOCAL = "created_at_local"
    CREATED_AT_FORM = "created_at_form"
    LISTED_OTHERWISE = "listed_otherwise"

    GET_OTHER = "get_other"
    CANCEL_OTHER = "cancel_other"

    NO_DATE = "no_date"
    DATE_APART = "date_apart"

    LIST_SLOW = "list_slow"
    LIST_LAG = "list_lag"
    LIST_STALE = "list_stale"
    LIST_BARE = "list_bare"
    LIST_TOTAL_CAPPED = "list_total_capped"
    LIST_LIMIT_CLAMPED = "list_limit_clamped"
    LIST_STRANGERS = "list_strangers"
    LIST_ABRIDGED = "list_abridged"
    LIST_OFFSET_IGNORED = "list_offset_ignored"
    LIST_CACHED = "list_cached"


_ALL: Final = tuple(Fault)
CREATE_FAULTS: Final = _ALL[: _ALL.index(Fault.CALLBACK_LOST)]
"""At most one of these befalls a create request."""
CALLBACK_FAULTS: Final = _ALL[_ALL.index(Fault.CALLBACK_LOST) : _ALL.index(Fault.NO_ECHO)]
"""At most one of these befalls the callback of what a create request made."""
TASK_FAULTS: Final = _ALL[_ALL.index(Fault.NO_ECHO) : _ALL.index(Fault.GET_OTHER)]
"""Each of these befalls a task independently of the others."""
ASKED_FAULTS: Final = (Fault.GET_OTHER, Fault.CANCEL_OTHER)
"""Each of these befalls an answer about one task; a script counts GETs and cancels together."""
DATE_FAULTS: Final = (Fault.NO_DATE, Fault.DATE_APART)
"""Each of these befalls the head of an answer, of which every answer of the API has one to be counted."""
LIST_FAULTS: Final = _ALL[_ALL.index(Fault.LIST_SLOW) :]
"""Each of these befalls a listing independently of the others."""
UNBORN: Final = frozenset({Fault.BUSY, Fault.NOT_CREATED_500, Fault.NOT_CREATED_503})
"""After these no task exists."""


class Form(StrEnum):
    """The forms in which an API may write a moment; ``mwbatch.simulator.world.dates`` writes them."""

    ZULU = "zulu"
    WHOLE = "whole"
    FINE = "fine"
    ZONED = "zoned"
    NAIVE = "naive"
    BLANK = "blank"
    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    HTTP = "http"
    DOTTED = "dotted"


class FaultsError(ValueError):
    """A description of faults that cannot be followed; the message names the part and the choices."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a script: ``fault`` befalls the requests ``first`` to ``last``, both counted from 1."""

    fault: Fault
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Size:
    """How far each fault goes; times in seconds of the simulator's clock."""

    created_late_s: float = 5.0
    callback_late_s: float = 2.0
    silent_s: float = 3600.0
    retry_after_s: float | None = 1.0
    created_at_grain_s: float = 1.0
    created_at_offset_s: float = 7200.0
    created_at_zone_s: float = 7200.0
    created_at_form: Form | None = None
    date_offset_s: float = 7200.0
    list_slow_s: float = 2.0
    list_lag_s: float = 5.0
    list_stale_s: float = 5.0
    list_total: int = 10
    list_limit: int = 20
    strangers_per_listing: int = 1
    list_cached_s: float = 3600.0


@dataclass(frozen=True, slots=True)
class Faults:
    """Which fault befalls which request.

    Attributes:
        seed: another seed befalls other requests.
        rates: probability of each fault, 0 to 1; those of create faults, and of callback faults, add up to at
            most 1, since only one of each kind can befall a request.
        script: faults for given requests; it goes before the rates.
        size: how far each fault goes.
    """

    seed: int = 0
    rates: Mapping[Fault, float] = field(default_factory=lambda: MappingProxyType({}))
    script: tuple[Line, ...] = ()
    size: Size = field(default_factory=Size)

    def __post_init__(self) -> None:
        for fault, rate in self.rates.items():
            if not 0 <= rate <= 1:
                raise FaultsError(f"rate of {fault} is {rate}: a rate lies between 0 and 1")
        for group in (CREATE_FAULTS, CALLBACK_FAULTS):
            total = sum(self.rates.get(fault, 0.0) for fault in group)
            if total > 1 + 1e-9:
                raise FaultsError(f"the rates of {group[0]} and its like add up to {total:g}, more than 1")

    def pick(self, ordinal: int, callback_url: str, again: int) -> Fault | None:
        """Say what befalls a create request.

        Args:
            ordinal: number of the create request, from 1; only a script looks at it.
            callback_url: the address that the request carries.
            again: how many requests with the same address came before it.
        """
        return self._one(CREATE_FAULTS, ordinal, callback_url, again)

    def pick_callback(self, ordinal: int, callback_url: str, again: int) -> Fault | None:
        """Say what befalls the callback of the task that a create request makes; arguments as in ``pick``."""
        return self._one(CALLBACK_FAULTS, ordinal, callback_url, again)

    def pick_task(self, ordinal: int, callback_url: str, again: int) -> frozenset[Fault]:
        """Say what befalls the task itself; arguments as in ``pick``."""
        return self._some(TASK_FAULTS, ordinal, callback_url, again)

    def pick_asked(self, ordinal: int, task_id: str, again: int) -> frozenset[Fault]:
        """Say what befalls the answer about one task that was asked for ``again`` times before."""
        return self._some(ASKED_FAULTS, ordinal, task_id, again)

    def pick_date(self, ordinal: int) -> frozenset[Fault]:
        """Say what befalls the head of answer number ``ordinal``, from 1."""
        return self._some(DATE_FAULTS, ordinal, ordinal)

    def pick_listing(self, ordinal: int) -> frozenset[Fault]:
        """Say what befalls the listing number ``ordinal``, from 1."""
        return self._some(LIST_FAULTS, ordinal, ordinal)

    def _scripted(self, group: tuple[Fault, ...], ordinal: int) -> list[Fault]:
        return [
            line.fault for line in self.script if line.fault in group and line.first <= ordinal <= line.last
        ]

    def _one(self, group: tuple[Fault, ...], ordinal: int, *key: object) -> Fault | None:
        if scripted := self._scripted(group, ordinal):
            return scripted[0]
        drawn = fraction(self.seed, group[0], *key)
        for fault in group:
            drawn -= self.rates.get(fault, 0.0)
            if drawn < 0:
                return fault
        return None

    def _some(self, group: tuple[Fault, ...], ordinal: int, *key: object) -> frozenset[Fault]:
        rated = [(fault, rate) for fault in group if (rate := self.rates.get(fault))]
        drawn = {fault for fault, rate in rated if fraction(self.seed, fault, *key) < rate}
        return frozenset(drawn.union(self._scripted(group, ordinal)))
