"""What of a batch should be looked at, one by one."""

from collections.abc import Iterator
from dataclasses import dataclass

from mwbatch.core.api.unusable import Unusable
from mwbatch.core.state.task_state import TaskState
from mwbatch.journal.interface.health import Damage
from mwbatch.journal.interface.open_batch import OpenBatch


@dataclass(frozen=True, slots=True)
class FoundTask:
    """A task of a row; ``kept`` is the one that counts for the row, if there is one."""

    row: int
    attempt: int
    task_id: str
    status: str
    created_at: str | None
    kept: str | None


@dataclass(frozen=True, slots=True)
class UnusableCallback:
    """A callback that did not fit, posted to the address of ``row`` and ``attempt``; ``at`` is in seconds
    since the epoch, ``body`` the beginning of ``size`` bytes.
    """

    at: float
    row: int
    attempt: int
    reason: str
    size: int
    body: bytes


@dataclass(frozen=True, slots=True)
class DamagedLine:
    """A line that was acknowledged once and cannot be read now: ``size`` bytes at an ``offset``."""

    where: str
    offset: int
    size: int
    reason: str


@dataclass(frozen=True, slots=True)
class Details:
    """Tasks beyond the one of their row, tasks with answers that disagree, tasks of rows that are not here;
    lines that are damaged, and callbacks that did not fit.
    """

    surplus: tuple[FoundTask, ...]
    conflicts: tuple[FoundTask, ...]
    unknown: tuple[FoundTask, ...]
    damaged: tuple[DamagedLine, ...]
    unusable: tuple[UnusableCallback, ...]


def details_of(opened: OpenBatch) -> Details:
    """Everything of these kinds that is on disk. Blocks."""
    state = opened.state
    return Details(
        tuple(_tasks(opened, state.surplus())),
        tuple(_tasks(opened, state.conflicts())),
        tuple(_tasks(opened, state.unknown())),
        tuple(map(_line, opened.own.damage())),
        tuple(map(_callback, opened.own.rejects())),
    )


def _tasks(opened: OpenBatch, there: Iterator[tuple[int, TaskState]]) -> Iterator[FoundTask]:
    for number, task in there:
        kept = opened.state.row(number).kept
        yield FoundTask(
            number, task.attempt, task.task_id, task.status, task.created_at, kept.task_id if kept else None
        )


def _line(damage: Damage) -> DamagedLine:
    return DamagedLine(damage.where, damage.offset, damage.size, damage.reason)


def _callback(reject: Unusable) -> UnusableCallback:
    return UnusableCallback(reject.at, reject.row, reject.attempt, reject.reason, reject.size, reject.body)
