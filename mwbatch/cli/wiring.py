"""From settings to the objects that commands take."""

import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from mwbatch.cli.signals import obeyed
from mwbatch.core.urls.hosts import origin
from mwbatch.core.words.hint import typed
from mwbatch.core.words.values import CONCURRENCY
from mwbatch.errors import UsageError
from mwbatch.library.settings.environment import api_key, exposed_key_file
from mwbatch.library.settings.groups import Api, AskedBeforeOptions, HomeOptions, Spending
from mwbatch.library.settings.keywords import never_asked
from mwbatch.views.terminal.folding import folded

if TYPE_CHECKING:
    from mwbatch.client import Client
    from mwbatch.commands.context.context import Context
    from mwbatch.core.urls.proxies import Proxy
    from mwbatch.journal.interface.store import Store
    from mwbatch.library.batch import Batch
    from mwbatch.library.client import Client as LibraryClient
    from mwbatch.library.home import Home
    from mwbatch.library.runtime import Runtime


def open_home(place: HomeOptions, context: "Context") -> "Store":
    """The home that was asked for, or the user's own; the first line of every command names it."""
    return home_of(place, context.tally.note)


def home_of(place: HomeOptions, tell: Callable[[str], None]) -> "Store":
    """The same where there is no context."""
    from mwbatch.journal.interface.naming import default_home
    from mwbatch.journal.opening import other_owner, store

    where = (place.home or default_home()).absolute()
    home = store(where, place.key_file)
    tell(f"home: {home.where}")
    if owner := other_owner(where):
        root = os.geteuid() == 0
        what = "gets all that you make in it" if root else "may not be able to read what you make in it"
        tell(f"warning: this home belongs to {owner}, who {what}; run mwbatch as {owner}")
    return home


@asynccontextmanager
async def library(
    place: HomeOptions, context: "Context", api: Api | None = None, concurrency: int = CONCURRENCY
) -> "AsyncIterator[Home]":
    """The home as the library has it, in our context; the way to the API is made where it is asked."""
    from mwbatch.library.home import Home

    async with Home._over(_runtime(place, context, api or Api(), concurrency)) as home:  # noqa: SLF001 (our own)
        yield home


@asynccontextmanager
async def library_batch(
    name: str, place: HomeOptions, context: "Context", api: Api | None = None, concurrency: int = CONCURRENCY
) -> "AsyncIterator[Batch]":
    """The same of a batch, which is looked for when something is done to it."""
    from mwbatch.library.batch import Batch

    runtime = _runtime(place, context, api or Api(), concurrency)
    try:
        yield Batch(runtime, name)
    finally:
        await runtime.close()


def _runtime(place: HomeOptions, context: "Context", api: Api, concurrency: int) -> "Runtime":
    from mwbatch.library.runtime import Runtime

    def opener() -> "LibraryClient":
        from mwbatch.library.client import Client

        return Client._around(open_client(api, context, concurrency))  # noqa: SLF001 (our own)

    return Runtime(
        open_home(place, context), None, context, opener, url=lambda: api.base_url, no_key=missing_key
    )


def keywords(spending: Spending, said: AskedBeforeOptions) -> dict[str, Any]:
    """The options as keywords of the library."""
    from dataclasses import asdict

    named = asdict(spending) | asdict(said)
    return named | {"confirm": never_asked if named.pop("yes") else asked}


def open_client(api: Api, context: "Context", concurrency: int = CONCURRENCY) -> "Client":
    """A client with the key from the environment; raises `UsageError` where there is none."""
    from mwbatch.client import Client

    if path := exposed_key_file():
        context.tally.note(
            f"warning: everybody on this machine can read the API key in {path}: "
            f"{typed('chmod', '600', path)}"
        )
    proxy = _proxy(api.base_url, context)
    with obeyed():  # a pipe may be waited for
        key = api_key()
    client = Client(key, api.base_url, api.timeout, limit=concurrency, proxy=proxy)
    client.waits, client.sleep = context.waits, context.sleep
    return client


def _proxy(base_url: str, context: "Context") -> "Proxy | None":
    """The proxy on the way to the API, which is said."""
    from mwbatch.core.urls.proxies import on_the_way

    proxy = on_the_way(context.proxies, origin(base_url))
    if proxy is not None:
        context.tally.note(f"the API is reached through the proxy {proxy.url}")
        if base_url.strip().lower().startswith("http:"):
            context.tally.note(
                "warning: the API is plain http, so that the proxy may answer in its place: no refusal is "
                "believed, and a row that is refused is in doubt until a listing shows that it has no task; "
                "use https, or NO_PROXY"
            )
    return proxy


def missing_key() -> str:
    """Why there is no API key, in words; empty where there is one."""
    try:
        with obeyed():
            api_key()
    except UsageError as error:
        return str(error)
    return ""


_ANSWERS: Final = {"y": True, "yes": True, "n": False, "no": False, "": False}


def asked(question: str) -> bool:
    """Ask on a terminal; elsewhere nobody is there to answer, and the command goes on.

    Ctrl-C and Ctrl-D mean no.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    with _heard() as heard:
        try:
            while (answer := _answer(question, heard)) not in _ANSWERS:
                pass
        except EOFError:
            print(file=sys.stderr)
            answer = "no"
    for number in heard.numbers[
        :1
    ]:  # who ends the program, or closes its terminal, says no, too, and is heard as ever then
        if number != signal.SIGINT:
            signal.raise_signal(number)
    return _ANSWERS[answer]


@dataclass(slots=True)
class _Heard:
    """The signals that came while somebody thought.

    ``reading``: his answer is read, and a signal ends that.
    """

    numbers: list[int] = field(default_factory=list)
    reading: bool = False

    def hear(self, number: int, _: object) -> None:
        """Let it end the reading, now or when that begins: what is being printed is printed whole,
        and once.
        """
        self.numbers.append(number)
        if self.reading:
            raise EOFError

    def line(self) -> str:
        """Read what somebody types. Raises `EOFError` where there is nothing more, or a signal came."""
        self.reading = True
        try:
            if self.numbers or not (said := sys.stdin.readline()):
                raise EOFError
        finally:
            self.reading = False
        return said


@contextmanager
def _heard() -> Iterator[_Heard]:
    """While somebody thinks, the event loop, which hears signals otherwise, stands still:
    each that comes is EOF.
    """
    heard = _Heard()
    wakes = signal.set_wakeup_fd(-1)
    before = {
        number: signal.signal(number, heard.hear)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield heard
    finally:
        for number, old in before.items():
            signal.signal(number, old)
        signal.set_wakeup_fd(wakes)


def _answer(question: str, heard: _Heard) -> str:
    """What somebody answers who has read the question: what he typed before was meant for something else,
    and is forgotten.
    """
    import termios

    with suppress(termios.error):  # the terminal is gone, and the reading will say so
        termios.tcflush(sys.stdin, termios.TCIFLUSH)
    print(f"{folded(question, sys.stderr)} [y/N]: ", end="", file=sys.stderr)
    return heard.line().strip().lower()
