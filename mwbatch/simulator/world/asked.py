"""What is asked about one task, and the faults by which another one is answered."""

from mwbatch.simulator.world.faults import Fault
from mwbatch.simulator.world.tasks import Document, Task, nested, other
from mwbatch.simulator.world.world import World


def retrieve(world: World, task_id: str, now: float) -> Document:
    """Show a task.

    Raises:
        Refusal: 404, there is none.
    """
    return _answered(world, world.get(task_id, now), Fault.GET_OTHER)


def cancel(world: World, task_id: str, now: float) -> Document:
    """Cancel a pending task and show it.

    Raises:
        Refusal: 404, there is none; 500, it is completed.
    """
    world.counts["cancels"] += 1
    return _answered(world, world.cancel(task_id, now), Fault.CANCEL_OTHER)


def _answered(world: World, task: Task, fault: Fault) -> Document:
    ordinal, again = world.ask(task.task_id)
    if fault not in world.settings.faults.pick_asked(ordinal, task.task_id, again):
        return nested(task)
    world.counts[fault.value] += 1
    return nested(other(world.tasks(), task) or task)
