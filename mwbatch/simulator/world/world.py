"""The state of the simulated API: a machine without input or output, whose clock is an argument.

Every ``now`` is in epoch seconds and never goes back. Whoever owns a world calls ``due`` to learn which
callbacks to deliver, tells the outcome by ``settle``, and may jump the clock to ``next_event_at``.
"""

import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import formatdate
from itertools import count
from typing import Any, Final, NamedTuple

from mwbatch.simulator.settings import Settings
from mwbatch.simulator.world.chance import fraction, identifier
from mwbatch.simulator.world.dates import of_task
from mwbatch.simulator.world.faults import Fault
from mwbatch.simulator.world.forms import Draft, Refusal
from mwbatch.simulator.world.life import Event, Life
from mwbatch.simulator.world.shelf import Shelf
from mwbatch.simulator.world.tasks import Task, altered, callback_body, entry, forged, other

MAX_TRIES: Final = 20
"""How often a callback is sent before the API gives up; reference, section Callbacks."""

_DAY_S: Final = 86_400.0
_STEPS: Final = [1.5**step for step in range(MAX_TRIES - 1)]
TRY_AFTER: Final = tuple(step * _DAY_S / sum(_STEPS) for step in _STEPS)
"""Simulated seconds from each try to the next: longer each time, 24 hours in all."""


class Arrival(NamedTuple):
    """A create request's place: its ``ordinal`` from 1, and how many of its address came ``again`` before."""

    ordinal: int
    again: int


@dataclass(frozen=True, slots=True)
class Callback:
    """One POST that is to be made now.

    ``copy`` is a repetition whose outcome settles nothing; ``forges`` is the task that somebody else names in
    it.
    """

    task: Task
    url: str
    copy: bool = False
    forges: str = ""

    def body(self) -> dict[str, Any]:
        """Write the JSON body."""
        return forged(self.task, self.forges) if self.forges else callback_body(self.task)


@dataclass(frozen=True, slots=True)
class Mishap:
    """What befalls a task from its birth on."""

    callback: Fault | None = None
    marks: frozenset[Fault] = frozenset()


NO_MISHAP: Final = Mishap()


class World:
    """All tasks and what is still to happen to them."""

    def __init__(self, settings: Settings, now: float) -> None:
        self.settings = settings
        self.counts: Counter[str] = Counter()
        self.shelf = Shelf()
        self._tasks: dict[str, Task] = {}
        self._addresses: dict[str, list[Task]] = {}
        self._asked: Counter[str] = Counter()
        self._mishaps: dict[str, Mishap] = {}
        self._order = count()
        self._births: list[tuple[float, int, Draft, Mishap]] = []
        self._ends: list[tuple[float, int, Task]] = []
        self._calls: list[tuple[float, int, Callback]] = []
        for index in range(settings.strangers):
            self.create_stranger(now - 3600 * (index + 1) / settings.strangers)

    def arrive(self, callback_url: str) -> Arrival:
        """Count a create request in; the answer is what ``Faults.pick`` wants to know."""
        self.counts["create_requests"] += 1
        again = self._asked[callback_url]
        self._asked[callback_url] += 1
        return Arrival(self.counts["create_requests"], again)

    def ask(self, task_id: str) -> Arrival:
        """Count a question about one task in; the answer is what ``Faults.pick_asked`` wants to know."""
        self.counts["questions"] += 1
        again = self._asked[task_id]
        self._asked[task_id] += 1
        return Arrival(self.counts["questions"], again)

    def date(self, now: float) -> str | None:
        """Give the ``Date`` header of the next answer; None for none."""
        self.counts["answers"] += 1
        faults = self.settings.faults.pick_date(self.counts["answers"])
        apart = self.settings.faults.size.date_offset_s if Fault.DATE_APART in faults else 0.0
        return None if Fault.NO_DATE in faults else formatdate(now + apart, usegmt=True)

    def tasks(self) -> Iterator[Task]:
        """Give every task that was asked for, without strangers, by address in order of creation."""
        return (task for tasks in self._addresses.values() for task in tasks)

    def create(self, draft: Draft, now: float, mishap: Mishap = NO_MISHAP) -> Task:
        """Create a task."""
        self.advance(now)
        return self._born(draft, now, mishap)

    def create_later(self, draft: Draft, at: float, mishap: Mishap = NO_MISHAP) -> None:
        """Create a task at ``at``, a time to come."""
        heapq.heappush(self._births, (at, next(self._order), draft, mishap))

    def create_stranger(self, now: float) -> Task:
        """Create a task of somebody else under the same key: it is listed, and calls nobody."""
        number = self.counts["strangers"] = self.counts["strangers"] + 1
        url = f"https://stranger.invalid/hooks/{number}"
        image_url = f"https://stranger.invalid/images/{number}.jpg"
        draft = Draft("tagging", url, {"objects_to_tag": "brands", "image_url": image_url})
        task = self._task(draft, now, NO_MISHAP)
        task.stranger = True
        self._keep(task)
        return task

    def get(self, task_id: str, now: float) -> Task:
        """Find a task.

        Raises:
            Refusal: 404, there is none.
        """
        self.advance(now)
        if task_id not in self._tasks:
            raise Refusal(404, f"there is no task {task_id}")
        return self._tasks[task_id]

    def cancel(self, task_id: str, now: float) -> Task:
        """Cancel a pending task; canceling it again changes nothing.

        Raises:
            Refusal: 404, there is none; 500, it is completed.
        """
        task = self.get(task_id, now)
        if task.status == "completed":
            raise Refusal(500, f"task {task_id} is completed and cannot be canceled")
        if task.life is Life.PENDING:
            task.ended_at = _whole(now)
        task.meet(Event.CANCELED)
        return task

    def due(self, now: float) -> list[Callback]:
        """Take the callbacks that are to be sent now; each MUST be reported back by ``settle``."""
        self.advance(now)
        taken = []
        while self._calls and self._calls[0][0] <= now:
            taken.append(heapq.heappop(self._calls)[2])
        return taken

    def early(self, task: Task, now: float) -> Callback | None:
        """Complete a pending task at once and take its callback, to be sent before the create is answered."""
        if task.life is not Life.PENDING:
            return None
        task.end(Event.DONE, _whole(now))
        self._mishaps.pop(task.task_id, None)
        return Callback(task, task.draft.callback_url)

    def settle(self, callback: Callback, *, acknowledged: bool, now: float) -> None:
        """Tell whether a callback was answered 2xx; if not, it is due again, up to 20 times in 24 hours."""
        task = callback.task
        self.counts["callbacks_sent"] += 1
        if callback.forges:
            return  # the API knows nothing of it
        task.tries.append(now)
        if acknowledged:
            self.counts["callbacks_acknowledged"] += 1
            task.acknowledged.append(now)
            task.meet(Event.TOLD)
        elif not callback.copy:
            task.meet(Event.GIVEN_UP if self._is_last(task) else Event.REFUSED)
            if task.life is Life.CALLING:
                self._again(callback, now)

    def next_event_at(self) -> float | None:
        """Give the time of the next birth, completion or callback; None when nothing is to come."""
        heads = [heap[0][0] for heap in (self._births, self._ends, self._calls) if heap]
        return min(heads, default=None)

    def complete_all(self, now: float) -> int:
        """Complete every pending task now; give how many there were."""
        self.advance(now)
        ended = [task for _, _, task in self._ends if task.life is Life.PENDING]
        self._ends.clear()
        for task in ended:
            self._end(task, now)
        return len(ended)

    def advance(self, now: float) -> None:
        """Let everything happen that was to happen until ``now``."""
        while self._births and self._births[0][0] <= now:
            at, _, draft, mishap = heapq.heappop(self._births)
            self._born(draft, at, mishap)
        while self._ends and self._ends[0][0] <= now:
            at, _, task = heapq.heappop(self._ends)
            if task.life is Life.PENDING:
                self._end(task, at)

    def ledger(self) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """Give for each address the tasks created with it, in order of the first creation."""
        for address, tasks in self._addresses.items():
            yield address, [entry(task) for task in tasks]

    def stats(self) -> dict[str, Any]:
        """Count everything; ``doubles`` are addresses with more than one task."""
        statuses = Counter(task.status for tasks in self._addresses.values() for task in tasks)
        return {
            "created": sum(statuses.values()),
            "by_status": {name: statuses[name] for name in ("pending", "completed", "canceled")},
            "addresses": len(self._addresses),
            "doubles": sum(len(tasks) > 1 for tasks in self._addresses.values()),
            "still_to_be_created": len(self._births),
            **self.counts,
        }

    def _born(self, draft: Draft, now: float, mishap: Mishap) -> Task:
        task = self._task(draft, now, mishap)
        self._keep(task)
        self._addresses.setdefault(draft.callback_url, []).append(task)
        if mishap.callback is not None:
            self._mishaps[task.task_id] = mishap
        heapq.heappush(self._ends, (task.due_at, next(self._order), task))
        return task

    def _task(self, draft: Draft, now: float, mishap: Mishap) -> Task:
        same = len(self._addresses.get(draft.callback_url, ()))
        task_id = identifier(self.settings.seed, draft.callback_url, same)
        least, most = self.settings.complete_after
        after = (least + (most - least) * fraction(task_id, "after")) / self.settings.time_scale
        grain = (
            self.settings.faults.size.created_at_grain_s if Fault.CREATED_AT_TIES in mishap.marks else 0.001
        )
        return Task(
            task_id=task_id,
            draft=draft,
            created_at=_whole(now, grain),
            born_at=now,
            due_at=now + after,
            dates=of_task(self.settings.faults.size, mishap.marks, draft.callback_url),
            otherwise=Fault.LISTED_OTHERWISE in mishap.marks,
            echo=Fault.NO_ECHO not in mishap.marks,
            altered=Fault.ECHO_ALTERED in mishap.marks,
        )

    def _keep(self, task: Task) -> None:
        self._tasks[task.task_id] = task
        self.shelf.add(task)

    def _end(self, task: Task, now: float) -> None:
        fault = self._mishaps.pop(task.task_id, NO_MISHAP).callback
        task.end(Event.LOST if fault is Fault.CALLBACK_LOST else Event.DONE, _whole(now))
        if fault is Fault.CALLBACK_LOST:
            return
        at = now + (self.settings.faults.size.callback_late_s if fault is Fault.CALLBACK_LATE else 0.0)
        url = task.draft.callback_url
        if fault is Fault.CALLBACK_WRONG:
            self._call(Callback(task, altered(url), copy=True), at)
        if fault in (Fault.CALLBACK_INVENTED, Fault.CALLBACK_OTHER):
            self._call(Callback(task, url, copy=True, forges=self._forged(task, fault)), at)
        self._call(Callback(task, url), at)
        if fault is Fault.CALLBACK_TWICE:
            self._call(Callback(task, url, copy=True), at)

    def _forged(self, task: Task, fault: Fault | None) -> str:
        another = other(self.tasks(), task) if fault is Fault.CALLBACK_OTHER else None
        return another.task_id if another else identifier("invented", task.task_id)

    def _call(self, callback: Callback, at: float) -> None:
        heapq.heappush(self._calls, (at, next(self._order), callback))

    def _is_last(self, task: Task) -> bool:
        """Say whether nobody is called again for a task whose callback was not taken."""
        return task.life is Life.CALLING and len(task.tries) >= MAX_TRIES

    def _again(self, callback: Callback, now: float) -> None:
        self._call(callback, now + TRY_AFTER[len(callback.task.tries) - 1] / self.settings.time_scale)


def _whole(moment: float, grain: float = 0.001) -> float:
    # Rounded down, so that nothing is created in the future of its own answer's Date.
    microseconds, step = round(moment * 1e6), round(grain * 1e6)
    return (microseconds - microseconds % step) / 1e6
