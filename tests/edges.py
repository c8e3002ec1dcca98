"""State machines whose table stands twice: as data, and for people at the head of their file.

The head's table has a line a state and a column an event; a cell names the state that follows, or ``-`` where
there is no such edge.
"""

from collections import deque
from collections.abc import Mapping
from enum import Enum
from types import ModuleType
from typing import TypeVar

S = TypeVar("S", bound=Enum)
E = TypeVar("E", bound=Enum)


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
