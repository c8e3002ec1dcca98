"""The tasks of an account: the raw API calls."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime

from mwbatch import client as api
from mwbatch.core.api.task import Task
from mwbatch.core.codec.times import iso, moment
from mwbatch.core.words.values import MOST_TASKS, whole
from mwbatch.errors import BadValue, Refused, Unfinished, Unsure
from mwbatch.library.messages import spoken
from mwbatch.library.settings.groups import TaskStatus, TaskType
from mwbatch.library.settings.keywords import one_of


class Tasks:
    """What `mwbatch tasks` does, and creating. A task that is made here belongs to no batch."""

    def __init__(self, there: api.Client) -> None:
        self._api = there

    async def create_tagging(
        self, *, image_url: str, callback_url: str, objects_to_tag: str = "brands"
    ) -> Task:
        """Ask people to draw boxes around ``objects_to_tag`` on one image. It costs money, and is sent once.

        Raises:
            Refused, Busy, Halted, Unsent: no task was made.
            Unsure: a task may exist.
        """
        return await self._api.create_tagging_task(image_url, callback_url, objects_to_tag)

    async def create_annotating(
        self,
        *,
        image_url: str,
        callback_url: str,
        instruction: str,
        annotation_option: Sequence[str],
        tags: Sequence[Mapping[str, object]],
    ) -> Task:
        """Ask people to answer ``instruction`` for each of ``tags`` with one of ``annotation_option``.

        A tag has ``id``, ``left``, ``top``, ``width`` and ``height``, in pixels. Raises as `create_tagging`.
        """
        return await self._api.create_annotating_task(
            image_url, callback_url, instruction, annotation_option, tags
        )

    async def list(
        self,
        *,
        status: str | None = None,
        type: str | None = None,  # noqa: A002 (the API's name)
        start_time: datetime | str | None = None,
        end_time: datetime | str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[Task]:
        """Every task of the account, newest first, or so many of them (``limit``), by these filters.

        This is for looking, not for proof: tasks that leave a filtered status meanwhile hide others.

        Raises:
            BadValue: a filter that cannot be, such as a time without a zone.
            ApiError: after the last try.
            Unfinished: at the end, where the listing leads nowhere: these may not be all tasks.
        """
        status = status and one_of("status", status, TaskStatus)
        type = type and one_of("type", type, TaskType)  # noqa: A001 (as above)
        since, until = _time("start_time", start_time), _time("end_time", end_time)
        whole("limit", limit, 1, MOST_TASKS, none=True)
        short, shown = list[str](), 0
        there = self._api.tasks(start_time=since, end_time=until, status=status, type=type, tell=short.append)
        async for task in there:
            yield task
            shown += 1
            if shown == limit:
                return
        for why in short:
            raise Unfinished(f"{why}, so these may not be all tasks: narrow it by start_time and end_time")

    async def get(self, task_id: str) -> Task:
        """Look at one task. Raises `NotFound`, `OtherTask`, or another `ApiError` after the last try."""
        with spoken():
            return await self._api.retrieve(task_id)

    async def cancel(self, task_id: str) -> Task:
        """Cancel a pending task. A batch that it belongs to learns of it at the next `reconcile`.

        Raises:
            Refused: the task is something else than canceled, and stays so.
            NotFound: there is no such task.
            ApiError: the API refused, or was not reached.
        """
        with spoken():
            return await canceled(self._api, task_id)


async def canceled(client: api.Client, task_id: str) -> Task:
    """The canceled task; where the API fails to say, what the task is now.

    Raises:
        Refused: the task is something else than canceled, and stays so.
    """
    try:
        return await client.cancel(task_id)
    except Unsure:
        task = await client.retrieve(task_id)
        if task.status != "canceled":
            raise Refused(f"task {task_id} is {task.status}: only a pending task can be canceled") from None
        return task


def _time(field: str, when: datetime | str | None) -> str | None:
    """A time as the API takes it."""
    try:
        if when is None:
            return None
        if isinstance(when, datetime) or moment(when):
            return iso(when)
    except ValueError:  # it has no zone
        pass
    raise BadValue(field, when, "write it as 2026-01-31T12:00:00Z, or give it a zone")
