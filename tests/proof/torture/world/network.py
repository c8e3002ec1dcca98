"""The network and the API behind it: requests take their time, get lost,
and arrive after their sender has died.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from contextvars import Context
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from mwbatch.client.transport.wire import WireResponse
from mwbatch.core.api.address import find
from mwbatch.errors import Unsent, Unsure
from mwbatch.simulator import Faults, Settings, World
from mwbatch.simulator.world.world import Callback
from tests.proof.torture.judging.order_laws import place_of
from tests.proof.torture.schedules.causes import Cause
from tests.proof.torture.schedules.draw import Draw
from tests.proof.torture.world.account import Account, Request, after
from tests.proof.torture.world.mortal import Mortal

EPOCH: Final = 1_750_000_000.0
TIMEOUT: Final = 30.0
AFTER_DEATH: Final = 60.0
"""Seconds within which a kernel may still deliver what a dead program had sent."""


@dataclass(frozen=True, eq=False)
class Sent:
    """A request that left a program, and what will come of it.

    ``place`` is where a create belongs; ``beside`` are the creates of the program that were on their way when
    it left.
    """

    program: int
    request: Request
    answer: asyncio.Future[WireResponse]
    place: tuple[int, int]
    beside: "tuple[Sent, ...]" = ()

    @property
    def creates(self) -> bool:
        """Whether it asks for a task."""
        return self.request.creates

    @property
    def lists(self) -> bool:
        """Whether it asks for a listing."""
        return self.request.path == "/v1/tasks"

    @property
    def created(self) -> bool:
        """Whether it was answered with success."""
        answer = self.answer
        done = answer.done() and not answer.cancelled() and answer.exception() is None
        return done and answer.result().status < 300


class Hears(Protocol):
    """Whoever is called back."""

    async def post(self, callback: Callback, dialect: str) -> bool:
        """Take one callback; says whether it was answered 2xx."""


class Network:
    """All accounts of the API, and the way to and from them."""

    def __init__(self, draw: Draw, cause: Cause, settings: Settings, receiver: Hears) -> None:
        self.draw, self.cause, self.settings, self.receiver = draw, cause, settings, receiver
        self.accounts: dict[str, Account] = {}
        self.sent: list[tuple[int, int, int]] = []
        """The creates that left: number of the program, row, attempt."""
        self.log: list[Sent] = []
        """All that left, in the order of its leaving."""
        self.acknowledged: set[str] = set()
        """The tasks whose callback was answered 2xx."""
        self._changed = asyncio.Event()
        self._tasks = {asyncio.create_task(self._call_back())}
        self._requests = 0

    def now(self) -> float:
        """The API's clock, epoch seconds."""
        return EPOCH + asyncio.get_running_loop().time()

    def account(self, key: str) -> Account:
        """The account of an API key."""
        if key not in self.accounts:
            settings = replace(self.settings, seed=len(self.accounts))
            self.accounts[key] = Account(World(settings, self.now()))
        return self.accounts[key]

    def calm(self) -> None:
        """End the storm: what is in the API's nature stays."""
        for account in self.accounts.values():
            faults = account.world.settings.faults
            rates = {fault: rate for fault, rate in faults.rates.items() if fault in self.cause.lasting}
            calmed = Faults(faults.seed, rates, (), faults.size)
            account.world.settings = replace(account.world.settings, faults=calmed)
        self.cause = replace(self.cause, refused=0.0, held=0.0)

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Let something happen on the network, whoever dies meanwhile."""
        task = asyncio.create_task(coroutine, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def carry(
        self, key: str, request: Request, program: "Program", answer: asyncio.Future[WireResponse]
    ) -> None:
        """Take a request on the way."""
        self._requests += 1
        self._note(request, program, answer)
        self.spawn(self._carry(self._requests, key, request, program, answer))

    def _note(self, request: Request, program: "Program", answer: asyncio.Future[WireResponse]) -> None:
        there = [
            one for one in self.log if one.creates and one.program == program.number and not one.answer.done()
        ]
        place = place_of(request.body) if request.creates else (0, 0)
        self.log.append(Sent(program.number, request, answer, place, tuple(there)))

    async def _carry(
        self,
        number: int,
        key: str,
        request: Request,
        program: "Program",
        answer: asyncio.Future[WireResponse],
    ) -> None:
        if request.creates and self.draw.chance(self.cause.refused, "refused", number):
            answer.set_exception(Unsent("nobody listens there"))
            return
        if not await self._up(number, request, program):
            return
        reaction = self.account(key).react(request, self.now())
        self._changed.set()
        if reaction.early is not None:
            await self._deliver(reaction.early)
        await asyncio.sleep(reaction.delay + self.draw.between(0.01, 0.2, "down", number))
        if answer.done():
            return
        if isinstance(reaction.seen, Unsure):
            answer.set_exception(reaction.seen)
        else:
            answer.set_result(reaction.seen)

    async def _up(self, number: int, request: Request, program: "Program") -> bool:
        """The way to the API; says whether the request arrives."""
        way = self.draw.between(0.01, 0.2, "up", number)
        if request.creates:
            address = find((request.body or b"").decode().replace("%2F", "/"))
            assert address is not None
            self.sent.append((program.number, address.row, address.attempt))
            program.created()
            if self.draw.chance(self.cause.held, "held", number):
                way = self.cause.held_s
        await asyncio.sleep(way)
        if program.mortal.dead:
            fate = self.draw.of("fate", number)
            if fate < (0.0 if self.cause.dies else 0.2):
                return False
            await asyncio.sleep(AFTER_DEATH * self.draw.of("after death", number) * (fate < 0.8))
        return True

    async def _call_back(self) -> None:
        """Deliver what is due, as long as the world stands."""
        while True:
            self._changed.clear()
            for account in list(self.accounts.values()):
                for callback in account.world.due(self.now()):
                    self.spawn(self._deliver(callback, account))
            times = [account.world.next_event_at() for account in self.accounts.values()]
            next_at = min((at for at in times if at is not None), default=self.now() + 3600)
            await after(next_at - self.now() + 1e-3, self._changed)

    async def _deliver(self, callback: Callback, account: Account | None = None) -> None:
        """Post one callback; it may overtake others."""
        name = (callback.task.task_id, len(callback.task.tries), callback.copy)
        if account is not None:
            await asyncio.sleep(self.draw.between(0.0, 2.0, "delivery", *name))
        world = (account or self._home_of(callback)).world
        accepted = await self.receiver.post(callback, world.settings.dialect)
        if accepted and not callback.forges:
            self.acknowledged.add(callback.task.task_id)
        # The 200 may be lost on the way: it is sent again although it is on disk.
        acknowledged = accepted and not self.draw.chance(0.05, "lost 200", *name)
        world.settle(callback, acknowledged=acknowledged, now=self.now())
        self._changed.set()

    def _home_of(self, callback: Callback) -> Account:
        return next(
            one
            for one in self.accounts.values()
            if any(
                entry["task_id"] == callback.task.task_id
                for _, tasks in one.world.ledger()
                for entry in tasks
            )
        )


class Program:
    """One run of a command, as the network knows it."""

    def __init__(self, number: int, mortal: Mortal) -> None:
        self.number, self.mortal = number, mortal
        self.dies_at_create = 0

    def created(self) -> None:
        """A create left; with the last one of its life it dies, all of them unanswered."""
        self.dies_at_create -= 1
        if self.dies_at_create == 0:
            asyncio.get_running_loop().call_later(0.005, self.mortal.die)


class TortureWire:
    """A `Wire` from one program into the network."""

    def __init__(self, network: Network, key: str, program: Program) -> None:
        self._network, self._key, self._program = network, key, program

    async def send(
        self,
        method: str,
        path: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
        fresh: bool = False,
    ) -> WireResponse:
        """Send one request; see `Wire.send`."""
        mortal = self._program.mortal
        if mortal.event():
            raise asyncio.CancelledError
        answer: asyncio.Future[WireResponse] = asyncio.get_running_loop().create_future()
        self._network.carry(
            self._key, Request(method, path, dict(params), body, fresh), self._program, answer
        )
        try:
            async with asyncio.timeout(TIMEOUT):
                received = await answer
        except TimeoutError:
            raise Unsure(f"no whole answer came within {TIMEOUT:g} s") from None
        finally:
            if answer.done() and not answer.cancelled():
                answer.exception()
        if mortal.event():
            raise asyncio.CancelledError
        return received

    async def close(self) -> None:
        """There is nothing to close."""
