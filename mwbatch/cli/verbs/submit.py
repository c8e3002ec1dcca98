"""`mwbatch submit` and `mwbatch resume`."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

from mwbatch.cli.options import verb
from mwbatch.cli.program import perform
from mwbatch.cli.wiring import keywords, library, library_batch
from mwbatch.library.settings import groups as settings
from mwbatch.library.settings.declarations import Option
from mwbatch.views.plain import Result

if TYPE_CHECKING:
    from mwbatch.commands.context.context import Context

DryRunOption = Annotated[
    bool, Option("--dry-run", "-n", help="Say what would be sent; send and write nothing.")
]


@verb
def submit(
    manifest: settings.ManifestArgument,
    *,
    batch: settings.BatchOption = None,
    dry_run: DryRunOption = False,
    taken: settings.RowSelection,
    meant: settings.MeantOptions,
    spending: settings.Spending,
    repeats: settings.AskedBeforeOptions,
    place: settings.HomeOptions,
    api: settings.Api,
    talk: settings.OutputOptions,
) -> None:
    """Create a task for every row of a manifest that has none.

    Run it again after any interruption, or with rows added: only what is missing is sent. The API key is read
    from MICROWORK_API_KEY, or from the file that MICROWORK_API_KEY_FILE names.

    \b
    Examples:
      mwbatch submit sample_manifests/ten.csv --dry-run
      mwbatch submit sample_manifests/ten.csv --callback-url http://127.0.0.1:8080
    """

    async def command(context: "Context") -> Result:
        from mwbatch.views.outcomes import created
        from mwbatch.views.preview import rehearsed

        options = asdict(taken) | asdict(meant) | keywords(spending, repeats)
        async with library(place, context, api, spending.concurrency) as home:
            if dry_run:
                return rehearsed(await home.rehearse(manifest, batch=batch, **options))
            return created((await home.submit(manifest, batch=batch, **options)).outcome)

    perform(command, talk)


@verb
def resume(
    batch: settings.BatchArgument,
    *,
    spending: settings.Spending,
    repeats: settings.AskedBeforeOptions,
    place: settings.HomeOptions,
    api: settings.Api,
    talk: settings.OutputOptions,
) -> None:
    """Go on with a batch where it stopped.

    The manifest is not read again. The callback base is the one used last, unless another is given.

    \b
    Examples:
      mwbatch resume ten
      mwbatch resume sample_manifests/ten.csv --concurrency 16 --json
    """

    async def command(context: "Context") -> Result:
        from mwbatch.views.outcomes import created

        async with library_batch(batch, place, context, api, spending.concurrency) as there:
            return created(await there.resume(**keywords(spending, repeats)))

    perform(command, talk)
