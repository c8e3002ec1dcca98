"""What a create request does to the world, its fault included: apart from the wire,
on which the answer travels.
"""

from dataclasses import dataclass

from mwbatch.simulator.world.faults import UNBORN, Fault
from mwbatch.simulator.world.forms import Draft
from mwbatch.simulator.world.tasks import Document, Task, flat
from mwbatch.simulator.world.world import Callback, Mishap, World


@dataclass(frozen=True, slots=True)
class Creation:
    """What came of a create request.

    Attributes:
        fault: what befalls its answer.
        tasks: what was created; none after a fault that creates nothing or creates later, two behind a proxy
            that posts twice.
        early: the callback to deliver before the request is answered.
        named: the task id in the answer, where it is another than the task's own.
    """

    fault: Fault | None
    tasks: tuple[Task, ...]
    early: Callback | None = None
    named: str | None = None

    def document(self) -> Document | None:
        """Give what the answer says when nothing befalls it on the way; None when nothing was created yet."""
        if not self.tasks:
            return None
        shown = flat(self.tasks[-1])
        return shown if self.named is None else {**shown, "task_id": self.named}


def create(world: World, draft: Draft, now: float) -> Creation:
    """Let a valid create request happen at ``now``."""
    faults = world.settings.faults
    arrival = world.arrive(draft.callback_url)
    asked = (arrival.ordinal, draft.callback_url, arrival.again)
    fault = faults.pick(*asked)
    mishap = Mishap(faults.pick_callback(*asked), faults.pick_task(*asked))
    world.counts.update(befallen.value for befallen in (fault, mishap.callback) if befallen is not None)
    if fault is Fault.CREATED_LATE:
        world.create_later(draft, now + faults.size.created_late_s, mishap)
    times = 0 if fault in UNBORN or fault is Fault.CREATED_LATE else 2 if fault is Fault.PROXIED_TWICE else 1
    tasks = tuple(world.create(draft, now, mishap) for _ in range(times))
    named = next(world.tasks()).task_id if fault is Fault.ONE_TASK_ID else None
    return Creation(fault, tasks, _early(world, tasks, mishap, now), named)


def _early(world: World, tasks: tuple[Task, ...], mishap: Mishap, now: float) -> Callback | None:
    if not tasks or mishap.callback is not Fault.CALLBACK_EARLY:
        return None
    return world.early(tasks[0], now)
