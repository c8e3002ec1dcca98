"""`mwbatch results`."""

from typing import TYPE_CHECKING, Annotated

import typer

from mwbatch import settings
from mwbatch.cli.options import unfolded
from mwbatch.cli.program import Result, perform
from mwbatch.cli.wiring import open_home

if TYPE_CHECKING:
    from mwbatch.commands.desk import Desk


@unfolded
def results(
    batch: settings.BatchArgument,
    *,
    every: Annotated[bool, typer.Option("--all", help="Every row, with its status and error.")] = False,
    require_complete: settings.RequireOption = False,
    place: settings.Place,
    talk: settings.Talk,
) -> None:
    """Print the completed rows as JSON lines.

    They come in the manifest's order, at any time, also while the batch runs.

    \b
    Examples:
      mwbatch results ten > ten.jsonl
      mwbatch results ten --all | jq -r .status
    """

    async def command(desk: "Desk") -> Result:
        from mwbatch.journal.opened import look
        from mwbatch.views.results import print_results

        home = open_home(place, desk)
        opened = await look(home, *home.find(batch))
        return print_results(opened, every=every, demanded=require_complete)

    perform(command, talk)


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(results)
