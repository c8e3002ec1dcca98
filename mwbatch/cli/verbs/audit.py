"""`mwbatch audit`."""

from typing import TYPE_CHECKING

from mwbatch.cli.options import verb
from mwbatch.cli.program import perform
from mwbatch.cli.wiring import open_client, open_home
from mwbatch.library import settings
from mwbatch.library.options import looked_back
from mwbatch.views.plain import Result

if TYPE_CHECKING:
    from mwbatch.commands.context.context import Desk


@verb
def audit(
    *,
    price: settings.PriceOption = None,
    against_api: settings.AgainstOption = False,
    since: settings.SinceOption = None,
    place: settings.Place,
    api: settings.Api,
    talk: settings.Talk,
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

    async def command(desk: "Desk") -> Result:
        from mwbatch.commands.verbs.audit import audit
        from mwbatch.views.audit import audited

        home = open_home(place, desk)
        back = looked_back(against_api, since)
        if back is None:
            return audited(tuple(await audit(home, desk)), price)
        async with open_client(api, desk) as client:
            return audited(tuple(await audit(home, desk, client, back)), price)

    perform(command, talk)
