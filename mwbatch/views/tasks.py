"""A task of the API as JSON, with the mac of its callback address hidden."""

from mwbatch.core.api.address import masked
from mwbatch.core.api.task import Task
from mwbatch.core.codec.json_codec import Json, decode, encode


def task_json(task: Task, *, raw: bool) -> Json:
    """The task under the API's own names; a forged answer needs a mac, so only ``raw`` shows one."""
    fields = {name: value for name, value in task._asdict().items() if name != "extra" and value is not None}
    shown = encode({**fields, **task.extra})
    return decode(shown if raw else masked(shown.decode()).encode())
