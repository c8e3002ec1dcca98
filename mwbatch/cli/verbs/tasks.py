"""`mwbatch tasks list|get|cancel`: the raw API calls."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import click

from mwbatch.cli.options import Group, verb
from mwbatch.cli.program import perform, standard_output
from mwbatch.cli.wiring import open_client
from mwbatch.errors import Exit
from mwbatch.library.settings import groups as settings
from mwbatch.library.settings.declarations import Argument, Option
from mwbatch.library.settings.groups import TaskStatus, TaskType
from mwbatch.views.plain import Result, plain

if TYPE_CHECKING:
    from mwbatch.commands.context.context import Context


RawOption = Annotated[
    bool, Option("--raw", help="Show callback addresses whole: whoever has one can forge an answer.")
]
TaskArgument = Annotated[str, Argument(metavar="TASK_ID", help="The API's own id of the task.")]


@dataclass(frozen=True, slots=True)
class Which:
    """The tasks that are listed, in the words of `Client.tasks`."""

    status: Annotated[TaskStatus | None, Option(help="Only tasks in this status.")] = None
    type: Annotated[TaskType | None, Option(help="Only tasks of this type.")] = None
    start_time: Annotated[str | None, Option(help="Created at this time or later (ISO 8601).")] = None
    end_time: Annotated[str | None, Option(help="Created at this time or earlier (ISO 8601).")] = None

    def check(self) -> None:
        """Raise `click.BadParameter` for what is no time."""
        from mwbatch.core.codec.times import moment

        for option, when in (("--start-time", self.start_time), ("--end-time", self.end_time)):
            if when is not None and moment(when) is None:
                raise click.BadParameter(
                    f"{when!r} is no time: write it as 2026-01-31T12:00:00Z.", param_hint=f"'{option}'"
                )


@verb
def list_(
    *,
    which: Which,
    most: Annotated[int | None, Option("--limit", min=1, help="Show so many at most. Default: all.")] = None,
    raw: RawOption = False,
    api: settings.Api,
    talk: settings.OutputOptions,
) -> None:
    """Print the account's tasks as JSON lines, newest first.

    \b
    Examples:
      mwbatch tasks list --status pending --limit 5
      mwbatch tasks list --start-time 2026-01-01T00:00:00Z | wc -l
    """
    which.check()

    async def command(context: "Context") -> Result:
        from mwbatch.core.codec.json_codec import encode
        from mwbatch.views.tasks import task_json
        from mwbatch.views.terminal.streams import written

        shown, out, short = 0, standard_output(), list[str]()
        context.tally.begin("asking the API")
        async with open_client(api, context) as client:
            async for task in client.tasks(**asdict(which), tell=short.append):
                if context.stopping.is_set():
                    break
                out.json(encode(task_json(task, raw=raw)) + b"\n")
                shown += 1
                if not await written(out, context.sleep) or shown == most:
                    break
        for why in short:
            context.tally.note(
                f"warning: {why}, so these may not be all tasks: narrow it by --start-time and --end-time"
            )
        return Result(exit=Exit.UNFINISHED if short else Exit.DONE)

    perform(command, talk)


@verb
def get(
    task_id: TaskArgument,
    *,
    raw: RawOption = False,
    api: settings.Api,
    talk: settings.OutputOptions,
) -> None:
    """Print one task.

    \b
    Examples:
      mwbatch tasks get TASK_ID
      mwbatch tasks get TASK_ID --raw
    """

    async def command(context: "Context") -> Result:
        from mwbatch.views.tasks import task_json

        context.tally.begin("asking the API")
        async with open_client(api, context) as client:
            return plain(task_json(await client.retrieve(task_id), raw=raw))

    perform(command, talk)


@verb
def cancel(
    task_id: TaskArgument,
    *,
    raw: RawOption = False,
    api: settings.Api,
    talk: settings.OutputOptions,
) -> None:
    """Cancel one pending task. A batch that the task belongs to learns of it at the next `mwbatch reconcile`.

    \b
    Examples:
      mwbatch tasks cancel TASK_ID
      mwbatch tasks cancel TASK_ID --timeout 10
    """

    async def command(context: "Context") -> Result:
        from mwbatch.library.tasks import canceled
        from mwbatch.views.tasks import task_json

        context.tally.begin("asking the API")
        async with open_client(api, context) as client:
            with context.in_flight():
                return plain(task_json(await canceled(client, task_id), raw=raw))

    perform(command, talk)


tasks = Group(
    "tasks", [list_, get, cancel], no_args_is_help=True, help="List, get and cancel tasks: the raw API calls."
)
