"""`mwbatch validate`."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from mwbatch.cli.options import verb
from mwbatch.cli.program import perform
from mwbatch.cli.wiring import client_where, open_home
from mwbatch.library import settings
from mwbatch.library.declarations import Option
from mwbatch.library.options import asking, source_of
from mwbatch.views.plain import Result

if TYPE_CHECKING:
    from mwbatch.commands.context.context import Desk
    from mwbatch.commands.manifest.planning import Source
    from mwbatch.core.report.preview import Validation


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
    batch: settings.BatchOption = None,
    repeats: settings.Asking,
    place: settings.Place,
    api: settings.Api,
    talk: settings.Talk,
) -> None:
    """Check every row of a manifest, and list every mistake.

    A mistake is a line: file:line: column: what is wrong. Rows that another batch of the data folder asked
    for are told, too. Nothing is sent, and no key is needed (save with --against-api).

    \b
    Examples:
      mwbatch validate sample_manifests/tagging.csv --price 0.08
      mwbatch validate sample_manifests/annotating.jsonl --json
    """

    async def command(desk: "Desk") -> Result:
        from mwbatch.commands.manifest.manifests import is_pipe
        from mwbatch.commands.verbs.validate import validate
        from mwbatch.views.preview import validated

        source = source_of(manifest, batch, meant, settings.Taken(allow_duplicates=allow_duplicates))
        checked = await validate(
            manifest,
            allow_duplicates=allow_duplicates,
            volatile=source.volatile,
            leave=source.leave,
            price=price,
            check_images=check_images,
            desk=desk,
        )
        if manifest == "-" or is_pipe(manifest) or checked.unreachable:
            return validated(checked)
        return validated(await compared(checked, source, repeats, place, api, desk))

    perform(command, talk)


async def compared(
    checked: "Validation",
    source: "Source",
    repeats: settings.Asking,
    place: settings.Place,
    api: settings.Api,
    desk: "Desk",
) -> "Validation":
    """The same, with what of its rows was asked for before,
    and whether a batch has those with problems already.
    """
    from mwbatch.commands.asking.foresee import foresee
    from mwbatch.core.urls.hosts import origin
    from mwbatch.errors import ManifestError, OtherApi, UsageError

    home, said = open_home(place, desk), asking(repeats)
    if not (
        any(True for _ in home.batches()) or home.departed(()) or repeats.against_api
    ):  # a second reading would find nothing to compare with
        return checked
    try:
        async with client_where(api, desk, needed=repeats.against_api) as client:
            at = client.origin if client else origin(api.base_url)
            found = await foresee(home, at, source, said, desk, client)
    except OtherApi:
        return checked  # it is compared with what was asked for at this one
    except ManifestError:
        return checked
    except UsageError as error:
        return checked if checked.found else replace(checked, refused=error)
    return replace(checked, accepted_by=found.card.name) if checked.found else checked
