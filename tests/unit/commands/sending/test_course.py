"""Those who follow the course of a run obey it on every edge: the gate, the rows made ready, the probes."""

import asyncio
from typing import NamedTuple

import pytest

from mwbatch.commands.sending.probing import Prober
from mwbatch.commands.sending.sending import PaceGate
from mwbatch.core.pace import course
from mwbatch.core.pace.course import Course, Event, State
from mwbatch.core.pace.pace import Breaker, Pace
from mwbatch.errors import Unsure
from mwbatch.journal.interface.open_batch import OpenBatch
from tests.support.edges import told, ways
from tests.support.virtual import virtual
from tests.unit.commands.conftest import Stage
from tests.unit.commands.sending.test_attempts import ready_of

TOLD = told(course, State, Event)


class Seen(NamedTuple):
    """Whether a request leaves, waits or is turned away (None); whether rows are given, listings asked."""

    leaves: bool | None
    gives: bool
    asks: bool


OBEYED = {
    State.SENDING: Seen(leaves=True, gives=True, asks=False),
    State.PROBING: Seen(leaves=False, gives=True, asks=True),
    State.DRAINING: Seen(leaves=None, gives=False, asks=False),
    State.OVER: Seen(leaves=None, gives=False, asks=False),
}


class Run:
    """Everything that follows a course, with rows to send and an API that answers no listing."""

    def __init__(self, stage: Stage, batch: OpenBatch) -> None:
        self.wire, self.course, pace, session = stage.wire, Course(), Pace(4), stage.session(batch)
        self.wire.reads = Unsure("cut")
        self.ready = ready_of(batch, 40, self.course)
        self.gate = PaceGate(pace, session.ticks, self.course)
        self.prober = Prober(session, self.course, pace, Breaker())
        self.preparing = asyncio.create_task(self.ready.prepare())

    async def take(self, event: Event) -> None:
        """Let an event come about: a run that probes is calmed by an answer alone."""
        if event is Event.CALMED and self.course.state is State.PROBING:
            self.wire.reads = None
        else:
            self.course.take(event)
        await asyncio.sleep(60)
        self.wire.reads = Unsure("cut")

    async def seen(self) -> Seen:
        """What is done in the next minute."""
        asked = self.wire.left
        entering, taking = asyncio.create_task(self.gate.enter()), asyncio.create_task(self.ready.take())
        await asyncio.sleep(60)
        leaves = (entering.result() or None) if entering.done() else False
        gives = taking.result() is not None
        entering.cancel()
        return Seen(leaves, gives, self.wire.left > asked)

    async def end(self) -> None:
        """Leave nothing behind."""
        await self.prober.end()
        self.ready.end()
        await self.preparing


@pytest.mark.parametrize(("edge", "events"), ways(TOLD, State.SENDING).items(), ids=str)
@virtual
async def test_every_edge_is_obeyed(stage: Stage, edge: tuple[State, Event], events: list[Event]) -> None:
    """After each edge requests leave, wait or are turned away, and listings are asked for, by the state."""
    run = Run(stage, await stage.opened(40))
    await asyncio.sleep(1)
    for event in events:
        await run.take(event)
    assert (run.course.state, await run.seen()) == (TOLD[edge], OBEYED[TOLD[edge]])
    await run.end()
