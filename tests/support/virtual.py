"""An event loop in virtual time: when nothing else can happen, the clock jumps to the next timer.

Hours pass in milliseconds, and what a test sees depends on the order of its timers alone. Three laws:

- timers fire in the order of their times, at their times; those of one time in the same order in every run;
- time does not move while a job of an executor runs (the journal's commit thread, `in_thread`), nor while a
  socket has something to say;
- where nothing can ever happen any more, `Deadlock` is raised instead of hanging.

With ``threads=False`` jobs run on the loop's own thread, one an iteration, in the order in which they were
handed in: no thread is ever made, and a schedule is the same each time. A job that waits for another one
would hang there. With a ``lag`` each runs so many iterations after it was handed in, as one in a thread does,
whatever becomes of who waits for it.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from functools import wraps
from typing import Any, ParamSpec, TypeVar, TypeVarTuple, Unpack

P = ParamSpec("P")
T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Deadlock(RuntimeError):
    """No callback is ready, no timer is set, no job runs, no socket is open: the test would hang for ever."""


class _Jumping(selectors.DefaultSelector):
    """A selector that moves the clock of its loop instead of waiting for a time-out."""

    loop: "VirtualLoop"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready now; where nothing is, jump, or wait for a job or a socket."""
        if self.loop.jobs:
            return super().select(0 if timeout == 0 else None)
        if events := super().select(0):
            return events
        if timeout is None:
            if len(self.get_map()) == 1:  # the loop's own pipe
                raise Deadlock("nothing can ever happen any more: a future is awaited that nobody will set")
            return super().select(None)
        self.loop.now += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose ``time()`` begins at 0.0 and jumps.

    ``jobs`` counts the executor jobs that were handed in and whose end the loop has not seen; ``now`` may be
    moved forward by a test.
    """

    def __init__(self, *, threads: bool = True, lag: int = 0) -> None:
        selector = _Jumping()
        selector.loop = self
        self.now, self.jobs, self._threads, self._lag = 0.0, 0, threads, lag
        self._pool: ThreadPoolExecutor | None = None
        super().__init__(selector)
        # asyncio fires what is due within this;
        # its nanosecond is less than a float's step after a few months.
        self._clock_resolution = 1e-6

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self.now

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Run a job; time stands still until the loop has seen its end."""
        if not self._threads:
            return self._run_here(func, *args)
        if executor is None:
            executor = self._pool = self._pool or ThreadPoolExecutor(4, thread_name_prefix="virtual")
        job: Future[T] = executor.submit(func, *args)
        self.jobs += 1
        ended = asyncio.wrap_future(job, loop=self)
        # MUST be added after wrapping: the count falls when the wrapped
        # future's own wake-up stands in the queue.
        job.add_done_callback(self._end_from_thread)
        return ended

    def _run_here(self, func: Callable[[Unpack[Ts]], T], *args: *Ts) -> asyncio.Future[T]:
        ended: asyncio.Future[T] = self.create_future()
        self.jobs += 1

        def run() -> None:
            self._end()
            try:
                result = func(*args)
            except Exception as error:  # noqa: BLE001 (whoever awaits the job gets it)
                if not ended.done():
                    ended.set_exception(error)
            else:
                if not ended.done():
                    ended.set_result(result)

        self._later(run, self._lag)
        return ended

    def _later(self, run: Callable[[], None], lag: int) -> None:
        """Run a job once the loop has gone round so many times more; time stands still until then."""
        if lag:
            self.call_soon(self._later, run, lag - 1)
        else:
            self.call_soon(run)

    def _end_from_thread(self, _: Future[Any]) -> None:
        with suppress(RuntimeError):  # the loop was closed: nobody waits any more
            self.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        self.jobs -= 1

    def close(self) -> None:
        """Wait for the jobs that run, then close."""
        if self._pool is not None:
            self._pool.shutdown()
        super().close()


def run_virtual(main: Coroutine[Any, Any, T], *, threads: bool = True) -> T:
    """Run a coroutine to its end in virtual time, and cancel what it left running."""
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(threads=threads)) as runner:
        return runner.run(main)


def virtual(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Decorate an async test: it runs in virtual time, on a loop of its own."""

    @wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        run_virtual(test(*args, **kwargs))

    return run
