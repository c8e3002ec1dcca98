"""`mwbatch validate`."""

from typing import TYPE_CHECKING, Annotated

from mwbatch import settings
from mwbatch.cli.options import verb
from mwbatch.cli.program import Result, perform
from mwbatch.declarations import Option

if TYPE_CHECKING:
    from mwbatch.commands.desk import Desk


@verb
def validate(
    manifest: settings.ManifestArgument,
    *,
    allow_duplicates: settings.DuplicatesOption = False,
    meant: settings.Meant,
    price: settings.PriceOption = None,
    check_images: Annotated[
        bool,
        Option("--check-images", help="Ask for every picture (HEAD), and report those that fail."),
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
        from mwbatch.core.scrutiny import Leave

        desk.tally.phase = "checking the manifest"
        return await validate(
            manifest,
            allow_duplicates=allow_duplicates,
            volatile=meant.volatile,
            leave=Leave(frozenset(meant.own_column), meant.single_option),
            price=price,
            check_images=check_images,
            desk=desk,
        )

    perform(command, talk)
