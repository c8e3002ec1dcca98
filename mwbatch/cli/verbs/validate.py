"""`mwbatch validate`."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

from mwbatch.cli.options import verb
from mwbatch.cli.program import perform
from mwbatch.cli.wiring import library
from mwbatch.library.settings import groups as settings
from mwbatch.library.settings.declarations import Option
from mwbatch.views.plain import Result

if TYPE_CHECKING:
    from mwbatch.commands.context.context import Context


@verb
def validate(
    manifest: settings.ManifestArgument,
    *,
    allow_duplicates: settings.DuplicatesOption = False,
    meant: settings.MeantOptions,
    price: settings.PriceOption = None,
    check_images: Annotated[
        bool,
        Option("--check-images", help="Ask for every picture (HEAD), and report those that fail."),
    ] = False,
    batch: settings.BatchOption = None,
    repeats: settings.AskedBeforeOptions,
    place: settings.HomeOptions,
    api: settings.Api,
    talk: settings.OutputOptions,
) -> None:
    """Check every row of a manifest, and list every mistake.

    A mistake is a line: file:line: column: what is wrong. Rows that another batch of the data folder asked
    for are told, too. Nothing is sent, and no key is needed (save with --against-api).

    \b
    Examples:
      mwbatch validate sample_manifests/tagging.csv --price 0.08
      mwbatch validate sample_manifests/annotating.jsonl --json
    """

    async def command(context: "Context") -> Result:
        from mwbatch.views.preview import validated

        said: dict[str, Any] = asdict(meant) | asdict(repeats) | {"allow_duplicates": allow_duplicates}
        async with library(place, context, api) as home:
            return validated(
                await home.validate(manifest, batch=batch, price=price, check_images=check_images, **said)
            )

    perform(command, talk)
