"""State machines whose table stands twice: as data, and for people at the head of their file.

The head's table has a line a state and a column an event; a cell names the state that follows, or ``-`` where
there is no such edge. `EdgeLaws` walks along every edge of it and tries every other one.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping, Sequence
from enum import Enum
from types import ModuleType
from typing import Any, Generic, Protocol, TypeVar

import pytest


class Machine(Protocol):
    """What is in one of its states, and goes along an edge: a `KeyError` where there is none."""

    state: Any

    def take(self, event: Any) -> None:
        """Go along an edge."""
        ...


M = TypeVar("M", bound=Machine)
S = TypeVar("S", bound=Enum)
E = TypeVar("E", bound=Enum)


class EdgeLaws(ABC, Generic[M, S, E]):
    """What every machine with a table promises: ``class TestMine(EdgeLaws[Mine, State, Event])``.

    ``file`` is the module with the table, ``first`` the state in which a machine begins.
    """

    file: ModuleType
    first: S
    events: type[E]

    @abstractmethod
    def begin(self, events: Sequence[E]) -> M:
        """A new machine, which these events will come to."""

    def meet(self, machine: M, event: E) -> None:
        """Let an event come about."""
        machine.take(event)

    def reached(self, machine: M, edge: tuple[S, E]) -> None:
        """What is true besides, once the last event led along an edge."""

    def told(self) -> dict[tuple[S, E], S]:
        """The edges that the head tells of."""
        return told(self.file, type(self.first), self.events)

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Let the tests below meet each edge, and each that is missing."""
        table = self.told()
        if "events" in metafunc.fixturenames:
            there = ways(table, self.first)
            metafunc.parametrize(("edge", "events"), there.items(), ids=map(_named, there))
        elif "missing" in metafunc.fixturenames:
            missing = undeclared(table, type(self.first), self.events)
            metafunc.parametrize("missing", missing, ids=map(_named, missing))

    def test_the_table_is_the_one_at_the_head(self) -> None:
        """What is told at the head is what happens, edge for edge, and every edge can be reached."""
        assert self.told() == self.file.TABLE
        assert ways(self.file.TABLE, self.first).keys() == self.told().keys()

    def test_every_edge(self, edge: tuple[S, E], events: list[E]) -> None:
        """Each edge leads where the head says."""
        machine = self.begin(events)
        assert machine.state is self.first
        for event in events[:-1]:
            self.meet(machine, event)
        assert machine.state is edge[0]
        self.meet(machine, events[-1])
        assert machine.state is self.told()[edge]
        self.reached(machine, edge)

    def test_no_other_edge(self, missing: tuple[S, E]) -> None:
        """An edge that is not there cannot be taken, and changes nothing."""
        machine = self.begin(())
        machine.state, event = missing
        with pytest.raises(KeyError):
            machine.take(event)
        assert machine.state is missing[0]


def _named(edge: tuple[S, E]) -> str:
    state, event = edge
    return f"{state.value}, {event.value}"


def told(module: ModuleType, states: type[S], events: type[E]) -> dict[tuple[S, E], S]:
    """The edges that the head of a module tells of."""
    lines = [line for line in (module.__doc__ or "").splitlines() if line.startswith("|")]
    head, _, *body = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    named, found = {state.value: state for state in states}, dict[tuple[S, E], S]()
    assert {line[0] for line in body} == set(named)
    assert head[1:] == [event.value for event in events]
    for state, *cells in body:
        for event, cell in zip(events, cells, strict=True):
            if cell != "-":
                found[named[state], event] = named[cell]
    return found


def ways(table: Mapping[tuple[S, E], S], first: S) -> dict[tuple[S, E], list[E]]:
    """For each edge that can be reached the events that lead to it from the first state, itself the last."""
    to: dict[S, list[E]] = {first: []}
    waiting = deque([first])
    while waiting:
        at = waiting.popleft()
        for (state, event), after in table.items():
            if state is at and after not in to:
                to[after] = [*to[at], event]
                waiting.append(after)
    return {(state, event): [*to[state], event] for state, event in table if state in to}


def undeclared(table: Mapping[tuple[S, E], S], states: type[S], events: type[E]) -> list[tuple[S, E]]:
    """Every state and event that no edge begins with."""
    return [(state, event) for state in states for event in events if (state, event) not in table]
