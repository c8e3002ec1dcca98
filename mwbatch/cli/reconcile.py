"""`mwbatch reconcile`."""

from typing import TYPE_CHECKING, Annotated

import typer

from mwbatch import settings
from mwbatch.cli.program import Manner, Result, perform
from mwbatch.cli.wiring import checked_settle, open_client, open_home

if TYPE_CHECKING:
    from mwbatch.commands.desk import Desk
    from mwbatch.journal.home import Home


def reconcile(
    batch: settings.BatchArgument,
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Look again until nothing is pending.")] = False,
    every: Annotated[
        float, typer.Option("--every", min=0.1, help="Seconds between two looks, with --wait.")
    ] = 30.0,
    most: Annotated[
        float | None, typer.Option("--for", min=0.0, help="Seconds to wait at most, with --wait.")
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Make no request: count what is on disk.")
    ] = False,
    what: Annotated[
        str | None,
        typer.Option("--list", metavar="WHAT", help="List surplus, conflicts, unknown or damaged."),
    ] = None,
    settle: settings.SettleOption = settings.SETTLE,
    timeout: settings.TimeoutOption = 30.0,
    home: settings.HomeOption = None,
    base_url: settings.BaseUrlOption = settings.BASE_URL,
    json: settings.JsonOption = False,
    quiet: settings.QuietOption = False,
    verbose: settings.VerboseOption = False,
    log_format: settings.LogFormatOption = settings.LogFormat.TEXT,
) -> None:
    """Prove where every row is, and that none was paid twice.

    It lists every task that the API has of the batch, fetches the answers whose callback never came, settles rows in
    doubt, and cancels surplus tasks while they are pending. Given the path of a manifest it compares with that, too.

    \b
    Examples:
      mwbatch reconcile ten --wait --every 2 --for 60
      mwbatch reconcile sample_manifests/ten.csv --offline --json
    """

    async def command(desk: "Desk") -> Result:
        from mwbatch.commands import reconcile as commands
        from mwbatch.views.outcomes import reconciled

        where = open_home(home, None, desk)
        if what is not None:
            return await details(where, batch, what)
        manner = commands.Manner(checked_settle(settle, base_url), every if wait else None, most)
        if offline:
            return reconciled(await commands.reconcile(where, None, batch, desk, manner))
        async with open_client(base_url, timeout) as client:
            return reconciled(await commands.reconcile(where, client, batch, desk, manner))

    perform(command, Manner(json, quiet, verbose, log_format))


async def details(home: "Home", batch: str, what: str) -> Result:
    """One of the lists, from what is on disk."""
    from mwbatch.errors import UsageError
    from mwbatch.journal.opened import look
    from mwbatch.views import listing

    lists = {
        "surplus": listing.surplus,
        "conflicts": listing.conflicts,
        "unknown": listing.unknown,
        "damaged": listing.damaged,
    }
    if what not in lists:
        raise UsageError(f"--list {what}: choose one of {', '.join(lists)}")
    return lists[what](await look(home, *home.find(batch)))


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(reconcile)
