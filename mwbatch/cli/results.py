"""`mwbatch results`."""

from typing import TYPE_CHECKING, Annotated

import typer

from mwbatch import settings
from mwbatch.cli.program import Manner, Result, perform
from mwbatch.cli.status import RequireOption
from mwbatch.cli.wiring import open_home

if TYPE_CHECKING:
    from mwbatch.commands.desk import Desk


def results(
    batch: settings.BatchArgument,
    *,
    every: Annotated[bool, typer.Option("--all", help="Every row, with its status and error.")] = False,
    require_complete: RequireOption = False,
    home: settings.HomeOption = None,
    quiet: settings.QuietOption = False,
    verbose: settings.VerboseOption = False,
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

        where = open_home(home, None, desk)
        opened = await look(where, *where.find(batch))
        return print_results(opened, every=every, demanded=require_complete)

    perform(command, Manner(False, quiet, verbose))


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(results)
