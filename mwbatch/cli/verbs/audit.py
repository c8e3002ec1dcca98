"""`mwbatch audit`."""

from typing import TYPE_CHECKING

from mwbatch.cli.options import verb
from mwbatch.cli.program import perform
from mwbatch.cli.wiring import library
from mwbatch.library.settings import groups as settings
from mwbatch.views.plain import Result

if TYPE_CHECKING:
    from mwbatch.commands.context.context import Context


@verb
def audit(
    *,
    price: settings.PriceOption = None,
    against_api: settings.AgainstOption = False,
    since: settings.SinceOption = None,
    place: settings.HomeOptions,
    api: settings.Api,
    talk: settings.OutputOptions,
) -> None:
    """Find what was asked for twice, and what that cost.

    It looks at every batch of the data folder, sends nothing and takes no lock. With --against-api it lists
    the account's tasks too: it finds what another machine, or a script, asked for before mwbatch came. Exit
    code 1: something was asked twice.

    \b
    Examples:
      mwbatch audit --price 0.08
      mwbatch audit --against-api --since 7d --json
    """

    async def command(context: "Context") -> Result:
        async with library(place, context, api) as home:
            found = await home.audit(price=price, against_api=against_api, since=since)
        return Result(found.words, {**found.details}, found.exit)

    perform(command, talk)
