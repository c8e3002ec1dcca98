"""`mwbatch submit` and `mwbatch resume`."""

from typing import TYPE_CHECKING, Annotated

from mwbatch.cli.options import verb
from mwbatch.cli.program import perform
from mwbatch.cli.wiring import client_where, missing_key, open_client, open_home, wishes
from mwbatch.library import settings
from mwbatch.library.declarations import Option
from mwbatch.library.options import source_of
from mwbatch.views.plain import Result

if TYPE_CHECKING:
    from mwbatch.commands.context.context import Desk

DryRunOption = Annotated[
    bool, Option("--dry-run", "-n", help="Say what would be sent; send and write nothing.")
]


@verb
def submit(
    manifest: settings.ManifestArgument,
    *,
    batch: settings.BatchOption = None,
    dry_run: DryRunOption = False,
    taken: settings.Taken,
    meant: settings.Meant,
    spending: settings.Spending,
    repeats: settings.Asking,
    place: settings.Place,
    api: settings.Api,
    talk: settings.Talk,
) -> None:
    """Create a task for every row of a manifest that has none.

    Run it again after any interruption, or with rows added: only what is missing is sent. The API key is read
    from MICROWORK_API_KEY, or from the file that MICROWORK_API_KEY_FILE names.

    \b
    Examples:
      mwbatch submit sample_manifests/ten.csv --dry-run
      mwbatch submit sample_manifests/ten.csv --callback-url http://127.0.0.1:8080
    """

    async def command(desk: "Desk") -> Result:
        from mwbatch.commands.manifest.planning import readable
        from mwbatch.commands.verbs.rehearse import rehearse
        from mwbatch.commands.verbs.submit import submit
        from mwbatch.core.urls.hosts import origin
        from mwbatch.views.outcomes import created
        from mwbatch.views.preview import rehearsed

        home, how = open_home(place, desk), wishes(spending, repeats)
        async with readable(source_of(manifest, batch, meant, taken), desk) as source:
            if dry_run:
                at = origin(api.base_url)
                async with client_where(api, desk, needed=repeats.against_api) as asked:
                    told = await rehearse(home, at, source, how, desk, missing_key(), asked)
                    return rehearsed(told)
            async with open_client(api, desk, spending.concurrency) as client:
                return created(await submit(home, client, source, how, desk))

    perform(command, talk)


@verb
def resume(
    batch: settings.BatchArgument,
    *,
    spending: settings.Spending,
    repeats: settings.Asking,
    place: settings.Place,
    api: settings.Api,
    talk: settings.Talk,
) -> None:
    """Go on with a batch where it stopped.

    The manifest is not read again. The callback base is the one used last, unless another is given.

    \b
    Examples:
      mwbatch resume ten
      mwbatch resume sample_manifests/ten.csv --concurrency 16 --json
    """

    async def command(desk: "Desk") -> Result:
        from mwbatch.commands.verbs.submit import resume
        from mwbatch.views.outcomes import created

        home = open_home(place, desk)
        async with open_client(api, desk, spending.concurrency) as client:
            return created(await resume(home, client, batch, wishes(spending, repeats), desk))

    perform(command, talk)
