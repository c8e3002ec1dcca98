"""`mwbatch results`."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from mwbatch import settings
from mwbatch.cli.options import verb
from mwbatch.cli.program import Result, glance, perform, standard_output
from mwbatch.cli.wiring import home_of, open_home
from mwbatch.declarations import Option
from mwbatch.errors import Exit, UsageError

if TYPE_CHECKING:
    from mwbatch.commands.desk import Desk

_STANDARD: Final = Path("-")

OutputOption = Annotated[
    Path | None,
    Option(
        "--output", "-o", metavar="PATH", help="A file, there whole or not at all. Default: standard output."
    ),
]


@verb
def results(
    batch: settings.BatchArgument,
    *,
    every: Annotated[bool, Option("--all", help="Every row, with its status and error.")] = False,
    follow: Annotated[
        bool,
        Option("--follow", help="Go on as rows are completed, until none is unfinished, or Ctrl-C."),
    ] = False,
    output: OutputOption = None,
    force: settings.ForceOption = False,
    require_complete: settings.RequireOption = False,
    place: settings.Place,
    talk: settings.Talk,
) -> None:
    """Print completed rows as JSON lines, or write a file.

    They come in the manifest's order, at any time, also while the batch runs. With --follow they come in the
    order in which they are completed, each once.

    \b
    Examples:
      mwbatch results ten -o ten.results.jsonl
      mwbatch results ten --follow | jq -r .status
    """
    path = None if output == _STANDARD else output

    def check() -> None:
        _check(path, follow=follow, every=every, force=force)

    def look(tell: Callable[[str], None]) -> Result:
        from mwbatch.journal.opened import read
        from mwbatch.views.results import print_results

        check()
        home = home_of(place, tell)
        opened = read(home, home.find(batch))
        return print_results(opened, standard_output(), every=every, demanded=require_complete)

    async def command(desk: "Desk") -> Result:
        from mwbatch.journal.opened import look
        from mwbatch.views.results import TakenView, follow_results

        check()
        home = open_home(place, desk)
        if path is None:
            opened = home.open(home.find(batch))
            with desk.in_flight():
                return await follow_results(opened, standard_output(), desk.sleep, demanded=require_complete)
        from mwbatch.commands.results import take_home

        opened = await look(home, home.find(batch))
        taken = await take_home(opened, path, desk, force=force, every=every)
        return TakenView(taken, demanded=require_complete)

    if follow or path:
        perform(command, talk, interrupted=Exit.DONE if follow else Exit.INTERRUPTED)
    glance(look, talk)


def _check(path: Path | None, *, follow: bool, every: bool, force: bool) -> None:
    """See that the options go together; raises `UsageError`."""
    if follow and every:
        raise UsageError("--follow gives completed rows alone; leave out --all, or look again with it later")
    if follow and path:
        raise UsageError("--follow goes on for ever, to standard output; with -o leave it out")
    if force and not path:
        raise UsageError("--force says that a file may be replaced: give -o PATH, or leave it out")
