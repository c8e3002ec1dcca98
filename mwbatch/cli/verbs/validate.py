"""`mwbatch validate`."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Annotated

from mwbatch.cli.options import verb
from mwbatch.cli.program import perform
from mwbatch.cli.wiring import open_client, open_home
from mwbatch.library.settings import groups as settings
from mwbatch.library.settings.declarations import Option
from mwbatch.library.settings.keywords import asking, source_of
from mwbatch.views.plain import Result

if TYPE_CHECKING:
    from mwbatch.client import Client
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
        from mwbatch.commands.verbs.validate import can_be_compared, compared, validate
        from mwbatch.core.urls.hosts import origin
        from mwbatch.views.preview import validated

        source = source_of(manifest, batch, meant, settings.RowSelection(allow_duplicates=allow_duplicates))
        checked = await validate(
            manifest,
            allow_duplicates=allow_duplicates,
            volatile=source.volatile,
            leave=source.leave,
            price=price,
            check_images=check_images,
            context=context,
        )
        if not can_be_compared(manifest, checked):
            return validated(checked)
        home, at, said = open_home(place, context), origin(api.base_url), asking(repeats)
        async with _asking(api, context, needed=repeats.against_api) as client:
            return validated(await compared(checked, home, at, source, said, context, client))

    perform(command, talk)


@asynccontextmanager
async def _asking(
    api: settings.Api, context: "Context", *, needed: bool
) -> AsyncIterator[Callable[[], "Client | None"]]:
    """How to get the client where one is ``needed``: it is made when it is asked for, as a key may lack."""
    async with AsyncExitStack() as stack:

        def client() -> "Client | None":
            if not needed:
                return None
            stack.push_async_callback((opened := open_client(api, context)).close)
            return opened

        yield client
