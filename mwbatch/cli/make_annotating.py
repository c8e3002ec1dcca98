"""`mwbatch make-annotating`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mwbatch import settings
from mwbatch.cli.options import unfolded
from mwbatch.cli.program import Result, perform
from mwbatch.cli.wiring import open_home

if TYPE_CHECKING:
    from mwbatch.commands.desk import Desk


@unfolded
def make_annotating(
    batch: settings.BatchArgument,
    *,
    instruction: Annotated[str, typer.Option("--instruction", help="The question about each box.")],
    option: Annotated[list[str], typer.Option("--option", help="An answer to choose from; several times.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="MANIFEST", help="The manifest to write (JSONL).")
    ],
    brand: Annotated[
        list[str] | None, typer.Option("--brand", help="Ask only about this brand; several times.")
    ] = None,
    min_size: Annotated[
        float, typer.Option("--min-size", min=0.0, help="Ask only about boxes as wide and high, in pixels.")
    ] = 0.0,
    max_tags: Annotated[
        int | None, typer.Option("--max-tags", min=1, help="Of one image, ask only about the largest.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file that is there.")] = False,
    place: settings.Place,
    talk: settings.Talk,
) -> None:
    """Make an annotating manifest out of a tagging batch's answers.

    A row an image, with its tags; the tags keep their brand, the columns say from where they come. It sends nothing:
    look at the manifest, then submit it.

    \b
    Examples:
      mwbatch make-annotating ten --instruction "Is it good?" --option good --option bad -o good.jsonl
      mwbatch make-annotating ten --instruction "Is it worn?" --option yes --option no --min-size 20 -o worn.jsonl
    """

    async def command(desk: "Desk") -> Result:
        from mwbatch.commands.make_annotating import make_annotating as make
        from mwbatch.core.lineage import Filter, Question
        from mwbatch.views.outcomes import MadeView

        question = Question(instruction, tuple(option))
        chosen = Filter(frozenset(brand or ()), min_size, max_tags)
        home = open_home(place, desk)
        return MadeView(await make(home, batch, question, chosen, output, desk, force=force))

    perform(command, talk)


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("make-annotating")(make_annotating)
