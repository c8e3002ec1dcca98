"""The causes: what the API, or the way to it, does to requests so that nobody can tell what came of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mwbatch.core.words.values import SETTLE
from mwbatch.simulator import Fault, Line, Size
from mwbatch.simulator.world.faults import Form
from tests.proof.torture.schedules.draw import Draw


@dataclass(frozen=True)
class Cause:
    """One cause with its sizes.

    ``refused`` and ``held`` are the parts of the creates whose connection is refused, or that stay on the way
    for ``held_s`` seconds. ``lasting`` faults are in the nature of the API and stay after the storm.
    ``blind``: doubt may be impossible to settle. ``told``: only callbacks can tell of tasks. ``stands``: the
    listing stands still from the echo on, for hours. ``beyond``: nobody can prevent a double. ``done_after``:
    least and greatest seconds of work.
    """

    rates: Mapping[Fault, float]
    script: tuple[Line, ...] = ()
    size: Size = field(default_factory=Size)
    refused: float = 0.0
    held: float = 0.0
    held_s: float = 0.0
    lasting: frozenset[Fault] = frozenset()
    setup: Mapping[str, Any] = field(default_factory=dict)
    blind: bool = False
    told: bool = False
    stands: bool = False
    beyond: bool = False
    dies: bool = False
    done_after: tuple[float, float] = (5.0, 7200.0)


def _creating(*faults: Fault, most: float = 0.5) -> Callable[[Draw], Cause]:
    """A fault of creates, at a drawn rate."""

    def cause(draw: Draw) -> Cause:
        return Cause({fault: draw.between(0.05, most / len(faults), fault) for fault in faults})

    return cause


def _listing(
    *faults: Fault, lasting: bool = False, blind: bool = False, **setup: Any
) -> Callable[[Draw], Cause]:
    """A fault of listings, with some doubt for them to settle."""

    def cause(draw: Draw) -> Cause:
        some = draw.one_of((1.0, 1.0, 0.5), "rate") if not lasting else 1.0
        return Cause(
            {**_doubt(draw), **dict.fromkeys(faults, some)},
            size=_sizes(draw),
            lasting=frozenset(faults) if lasting else frozenset(),
            setup=setup,
            blind=blind,
        )

    return cause


def _doubt(draw: Draw) -> dict[Fault, float]:
    faults = (Fault.CREATED_500, Fault.NOT_CREATED_500, Fault.CREATED_CUT)
    return {fault: draw.between(0.02, 0.15, fault) for fault in faults}


def _sizes(draw: Draw) -> Size:
    return Size(
        created_at_grain_s=draw.one_of((1.0, 10.0, 60.0), "grain"),
        list_slow_s=draw.between(0.5, 45.0, "slow"),
        list_lag_s=draw.between(1.0, SETTLE, "lag"),
        list_stale_s=draw.between(1.0, 1.4 * SETTLE, "stale"),
        list_total=draw.whole(1, 10, "total"),
        list_limit=draw.one_of((20, 20, 3), "limit"),
        strangers_per_listing=draw.whole(1, 4, "strangers"),
    )


def _late(least: float, most: float, *, beyond: bool) -> Callable[[Draw], Cause]:
    def cause(draw: Draw) -> Cause:
        size = Size(created_late_s=draw.between(least, most, "late"))
        return Cause({Fault.CREATED_LATE: draw.between(0.05, 0.4, "rate")}, size=size, beyond=beyond)

    return cause


def _held(draw: Draw) -> Cause:
    return Cause(
        {}, held=draw.between(0.05, 0.3, "held"), held_s=draw.between(1.3, 30.0, "s") * SETTLE, beyond=True
    )


def _busy(draw: Draw) -> Cause:
    size = Size(retry_after_s=draw.one_of((None, 1.0, 30.0), "wait"))
    return Cause({Fault.BUSY: draw.between(0.3, 0.8, "busy"), Fault.CREATED_500: 0.03}, size=size)


def _refused(draw: Draw) -> Cause:
    return Cause({Fault.CREATED_CUT: 0.05}, refused=draw.between(0.1, 0.8, "refused"))


def _stale_for_hours(draw: Draw) -> Cause:
    """After the echo was proved the listing stands still; callbacks alone tell,
    all before the doubt is due.
    """
    size = Size(list_stale_s=draw.between(3600.0, 7200.0, "hours"))
    return Cause(
        {Fault.CREATED_CUT: draw.between(0.05, 0.2, "cut")},
        script=(Line(Fault.LIST_STALE, 3, 10**9),),
        size=size,
        blind=True,
        told=True,
        done_after=(150.0, 215.0),
    )


def _proxied(draw: Draw) -> Cause:
    return Cause({Fault.PROXIED_TWICE: draw.between(0.05, 0.5, "twice"), **_doubt(draw)}, beyond=True)


def _uncalled(draw: Draw) -> Cause:
    return Cause(
        {Fault.CALLBACK_LOST: 1.0, **_doubt(draw)},
        lasting=frozenset({Fault.CALLBACK_LOST}),
        done_after=(0.5, 60.0),
    )


def _delivered_after_kill(draw: Draw) -> Cause:
    return Cause({Fault.CREATED_TIMEOUT: draw.between(0.0, 0.2, "timeout")}, dies=True)


def _apart(offset: Callable[[Draw], float], *, steps: bool = False) -> Callable[[Draw], Cause]:
    """What dates tasks is apart from the `Date` header; where it steps, it does so at some of the creates."""

    def cause(draw: Draw) -> Cause:
        rate = {} if steps else {Fault.CREATED_AT_APART: 1.0}
        first = draw.whole(2, 20, "first")
        return Cause(
            {**_doubt(draw), **rate},
            script=(Line(Fault.CREATED_AT_APART, first, first + draw.whole(0, 40, "span")),) if steps else (),
            size=Size(created_at_offset_s=offset(draw)),
            lasting=frozenset(rate),
        )

    return cause


def _ahead(draw: Draw) -> float:
    return draw.one_of((660.0, 3600.0, 7200.0, 50_400.0, 90_000.0), "apart")


def _behind(draw: Draw) -> float:
    return -_ahead(draw)


def _either(draw: Draw) -> float:
    return _ahead(draw) if draw.chance(0.5, "ahead") else _behind(draw)


def _proxy_clock(draw: Draw) -> Cause:
    """The `Date` header is a proxy's: of all answers, or of those that come through it."""
    rate = {Fault.DATE_APART: draw.one_of((1.0, 0.5), "rate")}
    size = Size(date_offset_s=_either(draw))
    return Cause({**_doubt(draw), **rate}, size=size, lasting=frozenset(rate))


def _dateless(draw: Draw) -> Cause:
    rate = {Fault.NO_DATE: draw.one_of((1.0, 1.0, 0.5), "rate")}
    return Cause({**_doubt(draw), **rate}, lasting=frozenset(rate), blind=True)


def _local(draw: Draw) -> Cause:
    rate = {Fault.CREATED_AT_LOCAL: 1.0}
    size = Size(created_at_zone_s=draw.one_of((-28_800.0, -3600.0, 7200.0, 19_800.0), "zone"))
    return Cause({**_doubt(draw), **rate}, size=size, lasting=frozenset(rate), blind=True)


def _forms(draw: Draw) -> Cause:
    rate = {Fault.CREATED_AT_FORM: 1.0}
    size = Size(created_at_form=draw.one_of((*Form, None), "form"))
    return Cause({**_doubt(draw), **rate}, size=size, lasting=frozenset(rate), blind=True)


def _get_other(draw: Draw) -> Cause:
    """The listing stands still and no callback comes, so that each task is asked for,
    and another one is answered.
    """
    return Cause(
        {
            Fault.GET_OTHER: draw.one_of((1.0, 0.5), "rate"),
            Fault.CALLBACK_LOST: draw.between(0.3, 1.0, "lost"),
        },
        script=(Line(Fault.LIST_STALE, 3, 10**9),),
        size=Size(list_stale_s=draw.between(3600.0, 7200.0, "hours")),
        lasting=frozenset({Fault.GET_OTHER}),
        stands=True,
        done_after=(0.5, 60.0),
    )


def _cancel_other(draw: Draw) -> Cause:
    rates = {Fault.CANCEL_OTHER: 1.0, Fault.PROXIED_TWICE: draw.between(0.05, 0.3, "twice")}
    return Cause({**_doubt(draw), **rates}, lasting=frozenset({Fault.CANCEL_OTHER}), beyond=True)


def _echo_altered(draw: Draw) -> Cause:
    """Some tasks are shown at addresses that we did not sign: nobody can tell whose they are."""
    rate = {Fault.ECHO_ALTERED: draw.between(0.1, 0.4, "altered")}
    return Cause({**_doubt(draw), **rate}, lasting=frozenset(rate), blind=True)


def _one_id(draw: Draw) -> Cause:
    return Cause({Fault.ONE_TASK_ID: draw.one_of((0.9, 0.3), "rate"), Fault.CREATED_CUT: 0.05})


def _forging(draw: Draw) -> Cause:
    rates = {
        fault: draw.between(0.1, 0.5, fault) for fault in (Fault.CALLBACK_INVENTED, Fault.CALLBACK_OTHER)
    }
    return Cause({**_doubt(draw), **rates}, done_after=(0.5, 600.0))


def _contradicting(fault: Fault) -> Callable[[Draw], Cause]:
    """Listings show other answers than callbacks bring: some of them, or all abridged."""

    def cause(draw: Draw) -> Cause:
        rate = {fault: 1.0 if fault is Fault.LIST_ABRIDGED else draw.between(0.05, 0.4, "rate")}
        return Cause({**_doubt(draw), **rate}, lasting=frozenset(rate), done_after=(0.5, 600.0))

    return cause


CAUSES: Final[Mapping[str, Callable[[Draw], Cause]]] = {
    "created-500": _creating(Fault.CREATED_500),
    "created-503": _creating(Fault.CREATED_503),
    "created-cut": _creating(Fault.CREATED_CUT),
    "created-timeout": _creating(Fault.CREATED_TIMEOUT),
    "answer-cut": _creating(Fault.ANSWER_CUT),
    "answer-rubbish": _creating(Fault.ANSWER_RUBBISH),
    "busy-storm": _busy,
    "not-created-500": _creating(Fault.NOT_CREATED_500, Fault.NOT_CREATED_503, most=0.8),
    "connection-refused": _refused,
    "bad-headers": _creating(Fault.ANSWER_BAD_HEADERS),
    "created-307": _creating(Fault.CREATED_307, most=0.2),
    "stray-answer": _creating(Fault.STRAY_ANSWER),
    "created-late": _late(1.0, 0.9 * SETTLE, beyond=False),
    "delivered-after-kill": _delivered_after_kill,
    "slow-listing": _listing(Fault.LIST_SLOW),
    "lagging-listing": _listing(Fault.LIST_LAG, blind=True),
    "stale-listing": _listing(Fault.LIST_STALE, blind=True),
    "stale-for-hours": _stale_for_hours,
    "ties": _listing(Fault.CREATED_AT_TIES, lasting=True, max_page=5),
    "total-capped": _listing(Fault.LIST_TOTAL_CAPPED, lasting=True, blind=True),
    "limit-clamped": _listing(Fault.LIST_LIMIT_CLAMPED, lasting=True),
    "strangers": _listing(Fault.LIST_STRANGERS, lasting=True),
    "bare-listing": _listing(Fault.LIST_BARE, lasting=True, dialect="later"),
    "no-echo": _listing(Fault.NO_ECHO, lasting=True, blind=True),
    "echo-altered": _echo_altered,
    "no-callback": _uncalled,
    "clock-ahead": _apart(_ahead),
    "clock-behind": _apart(_behind),
    "clock-steps": _apart(_either, steps=True),
    "proxy-clock": _proxy_clock,
    "no-date": _dateless,
    "local-time": _local,
    "date-forms": _forms,
    "get-other": _get_other,
    "cancel-other": _cancel_other,
    "one-task-id": _one_id,
    "forged-callbacks": _forging,
    "listed-otherwise": _contradicting(Fault.LISTED_OTHERWISE),
    "listed-abridged": _contradicting(Fault.LIST_ABRIDGED),
    "offset-ignored": _listing(Fault.LIST_OFFSET_IGNORED, lasting=True, blind=True),
    "cached-listing": _listing(Fault.LIST_CACHED, lasting=True),
    "proxied-twice": _proxied,
    "created-after-settle": _late(1.3 * SETTLE, 30 * SETTLE, beyond=True),
    "held-after-settle": _held,
}
"""Every cause by its name."""
