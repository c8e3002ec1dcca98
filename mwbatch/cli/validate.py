"""`mwbatch validate`."""

from typing import TYPE_CHECKING, Annotated

import typer

from mwbatch import settings
from mwbatch.cli.options import unfolded
from mwbatch.cli.program import Result, perform

if TYPE_CHECKING:
    from mwbatch.commands.desk import Desk


@unfolded
def validate(
    manifest: settings.ManifestArgument,
    *,
    allow_duplicates: settings.DuplicatesOption = False,
    price: settings.PriceOption = None,
    check_images: Annotated[
        bool,
        typer.Option("--check-images", help="Ask for every picture (HEAD), and report those that fail."),
    ] = False,
    talk: settings.Talk,
) -> None:
    """Check every row of a manifest, and list every mistake.

    A mistake is a line: file:line: column: what is wrong. Nothing is sent, and no key is needed.

    \b
    Examples:
      mwbatch validate sample_manifests/tagging.csv --price 0.08
      mwbatch validate sample_manifests/annotating.jsonl --json
    """

    async def command(desk: "Desk") -> Result:
        from mwbatch.commands.validate import validate

        desk.tally.phase = "checking the manifest"
        return await validate(
            manifest, allow_duplicates=allow_duplicates, price=price, check_images=check_images, desk=desk
        )

    perform(command, talk)


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(validate)
