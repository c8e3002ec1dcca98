"""`mwbatch results`."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from mwbatch.cli.options import verb
from mwbatch.cli.program import glance, perform, standard_output
from mwbatch.cli.wiring import home_of, open_home
from mwbatch.errors import Exit, UsageError
from mwbatch.library.settings import groups as settings
from mwbatch.library.settings.declarations import Option
from mwbatch.views.plain import Result

if TYPE_CHECKING:
    from mwbatch.commands.context.context import Context

_STANDARD: Final = Path("-")


@dataclass(frozen=True, slots=True)
class ResultsArguments:
    """Which rows, how and where to."""

    every: Annotated[bool, Option("--all", help="Every row, with its status and error.")] = False
    follow: Annotated[
        bool,
        Option("--follow", help="Go on as rows are completed, until none is unfinished, or Ctrl-C."),
    ] = False
    output: Annotated[
        Path | None,
        Option(
            "--output",
            "-o",
            metavar="PATH",
            help="A file, there whole or not at all. Default: standard output.",
        ),
    ] = None
    force: settings.ForceOption = False
    demanded: settings.RequireOption = False

    @property
    def path(self) -> Path | None:
        """The file to write; None for standard output."""
        return None if self.output == _STANDARD else self.output

    def check(self) -> None:
        """See that the options go together; raises `UsageError`."""
        if self.follow and self.every:
            raise UsageError(
                "--follow gives completed rows alone; leave out --all, or look again with it later"
            )
        if self.follow and self.path:
            raise UsageError("--follow goes on for ever, to standard output; with -o leave it out")
        if self.force and not self.path:
            raise UsageError("--force says that a file may be replaced: give -o PATH, or leave it out")


@verb
def results(
    batch: settings.BatchArgument,
    *,
    way: ResultsArguments,
    place: settings.HomeOptions,
    talk: settings.OutputOptions,
) -> None:
    """Print completed rows as JSON lines, or write a file.

    They come in the manifest's order, at any time, also while the batch runs. With --follow they come in the
    order in which they are completed, each once.

    \b
    Examples:
      mwbatch results ten -o ten.results.jsonl
      mwbatch results ten --follow | jq -r .status
    """
    if way.follow:
        perform(partial(_follow, batch, way, place), talk, interrupted=Exit.DONE)
    if way.path:
        perform(partial(_take, batch, way, place, way.path), talk)
    glance(partial(_print, batch, way, place), talk)


def _print(
    batch: str, way: ResultsArguments, place: settings.HomeOptions, tell: Callable[[str], None]
) -> Result:
    from mwbatch.journal.interface.open_batch import read
    from mwbatch.views.results import print_results

    way.check()
    home = home_of(place, tell)
    opened = read(home, home.find(batch))
    return print_results(opened, standard_output(), every=way.every, demanded=way.demanded)


async def _follow(
    batch: str, way: ResultsArguments, place: settings.HomeOptions, context: "Context"
) -> Result:
    from mwbatch.views.results import follow_results

    way.check()
    home = open_home(place, context)
    opened = home.open(home.find(batch))
    with context.in_flight():
        return await follow_results(opened, standard_output(), context.sleep, demanded=way.demanded)


async def _take(
    batch: str, way: ResultsArguments, place: settings.HomeOptions, path: Path, context: "Context"
) -> Result:
    from mwbatch.commands.verbs.results import take_home
    from mwbatch.journal.interface.open_batch import look
    from mwbatch.views.results import taken

    home = open_home(place, context)
    opened = await look(home, home.find(batch))
    took = await take_home(opened, path, context, force=way.force, every=way.every)
    return taken(took, demanded=way.demanded)
