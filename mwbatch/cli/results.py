"""`mwbatch results`."""

from typing import TYPE_CHECKING, Annotated

from mwbatch import settings
from mwbatch.cli.options import verb
from mwbatch.cli.program import Result, perform
from mwbatch.cli.wiring import open_home
from mwbatch.declarations import Option
from mwbatch.errors import Exit, UsageError

if TYPE_CHECKING:
    from mwbatch.commands.desk import Desk


@verb
def results(
    batch: settings.BatchArgument,
    *,
    every: Annotated[bool, Option("--all", help="Every row, with its status and error.")] = False,
    follow: Annotated[
        bool,
        Option("--follow", help="Go on as rows are completed, until none is unfinished, or Ctrl-C."),
    ] = False,
    require_complete: settings.RequireOption = False,
    place: settings.Place,
    talk: settings.Talk,
) -> None:
    """Print the completed rows as JSON lines.

    They come in the manifest's order, at any time, also while the batch runs. With --follow they come in the order in
    which they are completed, each once.

    \b
    Examples:
      mwbatch results ten > ten.results.jsonl
      mwbatch results ten --follow | jq -r .status
    """

    async def command(desk: "Desk") -> Result:
        from mwbatch.journal.opened import look, unread
        from mwbatch.views.results import follow_results, print_results

        home = open_home(place, desk)
        if follow and every:
            raise UsageError(
                "--follow gives completed rows alone; leave out --all, or look again with it later"
            )
        if follow:
            return await follow_results(
                unread(home, *home.find(batch)), desk.sleep, demanded=require_complete
            )
        opened = await look(home, *home.find(batch))
        return print_results(opened, every=every, demanded=require_complete)

    perform(command, talk, interrupted=Exit.DONE if follow else Exit.INTERRUPTED)
