"""The laws of the virtual clock, on which the commands are tried."""

import asyncio
import socket
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.virtual import Deadlock, VirtualLoop, run_virtual

delays = st.lists(st.sampled_from([0.0, 0.001, 0.5, 0.5, 3.0, 3600.0, 90_000.0]), max_size=12)


@given(delays)
def test_timers_fire_in_order(waits: list[float]) -> None:
    """Sleepers wake by their times, at their times; those of one time in the same order in every run."""

    async def sleeper(wait: float, number: int, woken: list[tuple[float, float, int]]) -> None:
        await asyncio.sleep(wait)
        woken.append((wait, asyncio.get_running_loop().time(), number))

    async def main() -> list[tuple[float, float, int]]:
        woken: list[tuple[float, float, int]] = []
        await asyncio.gather(*(sleeper(wait, number, woken) for number, wait in enumerate(waits)))
        return woken

    woken = run_virtual(main())
    assert [wait for wait, _, _ in woken] == sorted(waits)
    assert [at for _, at, _ in woken] == pytest.approx(sorted(waits))
    assert run_virtual(main()) == woken


def test_hours_pass_in_milliseconds() -> None:
    """A year of waiting takes no time."""
    began = time.monotonic()
    run_virtual(asyncio.sleep(365 * 86_400))
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("threads", [True, False])
def test_time_stands_still_while_a_job_runs(threads: bool) -> None:
    """A job ends before the clock moves, however long it takes and whichever timer waits."""

    async def main() -> list[tuple[str, float]]:
        loop, seen = asyncio.get_running_loop(), list[tuple[str, float]]()
        loop.call_later(1e-6, lambda: seen.append(("timer", loop.time())))
        await asyncio.to_thread(time.sleep, 0.02)
        seen.append(("job", loop.time()))
        await asyncio.sleep(1)
        return seen

    assert [name for name, _ in run_virtual(main(), threads=threads)] == ["job", "timer"]


@pytest.mark.parametrize("threads", [True, False])
def test_a_jobs_error_reaches_its_caller(threads: bool) -> None:
    """What a job raises is raised where it is awaited, and time goes on afterwards."""

    async def main() -> float:
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 / 0)
        await asyncio.sleep(5)
        return asyncio.get_running_loop().time()

    assert run_virtual(main(), threads=threads) == 5.0


@pytest.mark.parametrize("threads", [True, False])
def test_an_abandoned_job_holds_no_clock(threads: bool) -> None:
    """A job whose caller was cancelled is still waited for, and then time goes on."""

    async def main() -> int:
        gate = threading.Event()
        job = asyncio.create_task(asyncio.to_thread(gate.wait, 0.05))
        await asyncio.sleep(0)
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)
        await asyncio.sleep(1)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        return loop.jobs

    assert run_virtual(main(), threads=threads) == 0


def test_without_threads_jobs_run_here_and_in_order() -> None:
    """Jobs on the loop's own thread run in the order in which they were handed in."""
    ran: list[tuple[int, int]] = []

    def run(number: int) -> None:
        ran.append((number, threading.get_ident()))

    async def main() -> None:
        await asyncio.gather(*(asyncio.to_thread(run, n) for n in range(5)))

    run_virtual(main(), threads=False)
    assert ran == [(number, threading.get_ident()) for number in range(5)]


def test_sockets_go_before_timers() -> None:
    """What a socket has to say is heard before the clock jumps."""

    async def main() -> float:
        loop = asyncio.get_running_loop()
        left, right = socket.socketpair()
        with left, right:
            left.setblocking(False)
            right.setblocking(False)
            async with asyncio.timeout(0.001):
                for _ in range(50):
                    await loop.sock_sendall(left, b"x")
                    await loop.sock_recv(right, 1)
        return loop.time()

    assert run_virtual(main()) == 0.0


def test_a_deadlock_is_told() -> None:
    """A future that nobody will ever set ends the test instead of hanging it."""

    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(Deadlock):
        run_virtual(main())


def test_a_cancelled_timer_moves_no_clock() -> None:
    """A time-out that did not strike leaves the clock where it was."""

    async def main() -> float:
        async with asyncio.timeout(500):
            await asyncio.sleep(1)
        await asyncio.sleep(1)
        return asyncio.get_running_loop().time()

    assert run_virtual(main()) == 2.0
