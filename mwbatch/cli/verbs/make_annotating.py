"""`mwbatch make-annotating`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from mwbatch.cli.options import verb
from mwbatch.cli.program import perform
from mwbatch.cli.wiring import library_batch
from mwbatch.library.settings import groups as settings
from mwbatch.library.settings.declarations import Option
from mwbatch.views.plain import Result

if TYPE_CHECKING:
    from mwbatch.commands.context.context import Context


@dataclass(frozen=True, slots=True)
class BoxArguments:
    """Which boxes are asked about."""

    brand: Annotated[
        tuple[str, ...], Option("--brand", help="Ask only about this brand; several times.")
    ] = ()
    min_size: Annotated[
        float, Option("--min-size", min=0.0, help="Ask only about boxes as wide and high, in pixels.")
    ] = 0.0
    max_tags: Annotated[
        int | None, Option("--max-tags", min=1, help="Of one image, ask only about the largest.")
    ] = None


@verb
def make_annotating(
    batch: settings.BatchArgument,
    *,
    instruction: Annotated[str, Option("--instruction", help="The question about each box.")],
    option: Annotated[tuple[str, ...], Option("--option", help="An answer to choose from; several times.")],
    output: Annotated[
        Path, Option("--output", "-o", metavar="MANIFEST", help="The manifest to write (JSONL).")
    ],
    chosen: BoxArguments,
    single_option: settings.SingleOption = False,
    force: settings.ForceOption = False,
    place: settings.HomeOptions,
    talk: settings.OutputOptions,
) -> None:
    """Make an annotating manifest out of tagging answers.

    A row an image, with its tags; the tags keep their brand, the columns say from where they come. It sends
    nothing: look at the manifest, then submit it.

    \b
    Examples:
      mwbatch make-annotating ten --instruction "Is it good?" --option good --option bad -o good.jsonl
      mwbatch make-annotating ten --instruction "Worn?" --option yes --option no --min-size 20 -o worn.jsonl
    """

    async def command(context: "Context") -> Result:
        from mwbatch.views.outcomes import made

        async with library_batch(batch, place, context) as there:
            told = await there.make_annotating(
                instruction=instruction,
                options=option,
                output=output,
                brands=chosen.brand,
                min_size=chosen.min_size,
                max_tags=chosen.max_tags,
                single_option=single_option,
                force=force,
            )
        return made(told)

    perform(command, talk)
