"""The gate: the pace applied to all workers at once."""

import asyncio
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest

from mwbatch.commands.context.run_all import run_all
from mwbatch.commands.sending.sending import PaceGate
from mwbatch.core.pace.course import Course, Event
from mwbatch.core.pace.curve_top import FIRST_RATE
from mwbatch.core.pace.pace import Pace
from tests.support.virtual import virtual


def gate_of(most: int, rate: float | None = None, course: Course | None = None) -> PaceGate:
    """A gate in virtual time."""
    return PaceGate(Pace(most, rate), asyncio.get_running_loop().time, course or Course())


async def pass_through(gate: PaceGate, workers: int, at: Callable[[], None] = lambda: None) -> list[float]:
    """Send one request of a second for each worker; returns the times at which they were let through."""
    loop, times = asyncio.get_running_loop(), list[float]()

    async def work() -> None:
        if await gate.enter():
            times.append(loop.time())
            at()
            await asyncio.sleep(1)
            gate.leave()

    await run_all(work() for _ in range(workers))
    return times


@virtual
async def test_no_more_than_the_limit() -> None:
    """As many are let through as the pace allows, the next ones when the first have left."""
    assert await pass_through(gate_of(3), 7) == [0, 0, 0, 1, 1, 1, 2]


@virtual
async def test_the_rate() -> None:
    """With a rate, requests start one after the other, however many may be in flight."""
    assert await pass_through(gate_of(9, rate=2), 4) == [0.0, 0.5, 1.0, 1.5]


@virtual
async def test_after_a_refusal_everybody_waits() -> None:
    """Retry-After holds back every worker; then they go on one by one, at the rate that was learned."""
    gate = gate_of(4)
    gate.pace.refused(0.0, 0.0, 10.0)
    assert await pass_through(gate, 3) == pytest.approx([10, 10 + 1 / FIRST_RATE, 10 + 2 / FIRST_RATE])


@virtual
async def test_first_come_first_served() -> None:
    """Workers leave in the order in which they came, also those who come while others wait."""
    gate, order = gate_of(1, rate=10), list[int]()

    async def come(number: int) -> None:
        await asyncio.sleep(number * 0.03)
        assert await gate.enter()
        order.append(number)
        gate.leave()

    await run_all(come(number) for number in range(20))
    assert order == list(range(20))


@virtual
async def test_a_timer_for_many() -> None:
    """Waiting for the rate costs about one timer a request, however many wait."""
    loop, timers = asyncio.get_running_loop(), 0
    call_later = loop.call_later

    def counted(
        delay: float, callback: Callable[..., object], *args: Any, **more: Any
    ) -> asyncio.TimerHandle:
        nonlocal timers
        timers += callback.__name__ == "_tick"
        return call_later(delay, callback, *args, **more)

    with patch.object(loop, "call_later", counted):
        gate = gate_of(100, rate=1000)
        gate.pace.limit = 100.0
        await pass_through(gate, 100)
    assert timers <= 101


@virtual
async def test_nobody_leaves_while_the_run_probes() -> None:
    """In trouble nobody is let through until it is over."""
    course = Course()
    gate = gate_of(4, course=course)
    course.take(Event.TROUBLE)
    asyncio.get_running_loop().call_later(100, course.take, Event.CALMED)
    assert await pass_through(gate, 2) == [100, 100]


@virtual
async def test_nobody_leaves_once_the_run_has_stopped() -> None:
    """Whoever waits when the run stops is turned away, and so is whoever comes later."""
    course = Course()
    gate = gate_of(1, course=course)
    asyncio.get_running_loop().call_later(0.5, course.take, Event.STOP)
    assert await pass_through(gate, 5) == [0]
    assert not await gate.enter()
    assert gate.in_flight == 0


@virtual
async def test_a_worker_that_was_cancelled_takes_no_turn() -> None:
    """A waiting worker that is cancelled passes its turn on."""
    gate = gate_of(1)
    assert await gate.enter()
    waiting = [asyncio.create_task(gate.enter()) for _ in range(2)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    gate.leave()
    assert await waiting[1]
    assert waiting[0].cancelled()


@virtual
async def test_a_turn_that_came_too_late_passes_on() -> None:
    """A worker that is cancelled in the moment in which its turn comes gives it to the next."""
    gate = gate_of(1)
    assert await gate.enter()
    waiting = [asyncio.create_task(gate.enter()) for _ in range(2)]
    await asyncio.sleep(0)
    gate.leave()
    waiting[0].cancel()
    assert await waiting[1]
    assert (gate.in_flight, waiting[0].cancelled()) == (1, True)
