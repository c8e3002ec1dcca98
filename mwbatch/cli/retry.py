"""`mwbatch retry`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mwbatch import settings
from mwbatch.cli.program import Manner, Result, perform
from mwbatch.cli.submit import KeepGoingOption, MaxCostOption, MaxTasksOption, PriceOption, wishes_of
from mwbatch.cli.wiring import checked_settle, open_client, open_home

if TYPE_CHECKING:
    from mwbatch.commands.desk import Desk
    from mwbatch.commands.retry import Choice

StatusOption = Annotated[str, typer.Option("--status", help="Which rows: rejected, canceled or doubt.")]
IdsOption = Annotated[
    list[str] | None, typer.Option("--id", help="Only this row; may be given several times.")
]
IdsFromOption = Annotated[
    Path | None, typer.Option("--ids-from", help="Only the rows whose ids a file lists, one a line.")
]


def retry(
    batch: settings.BatchArgument,
    *,
    status: StatusOption = "rejected",
    ids: IdsOption = None,
    ids_from: IdsFromOption = None,
    callback_url: settings.CallbackUrlOption = None,
    keep_going: KeepGoingOption = False,
    concurrency: settings.ConcurrencyOption = 64,
    rate: settings.RateOption = None,
    timeout: settings.TimeoutOption = 30.0,
    settle: settings.SettleOption = settings.SETTLE,
    max_tasks: MaxTasksOption = None,
    price: PriceOption = None,
    max_cost: MaxCostOption = None,
    yes: settings.YesOption = False,
    home: settings.HomeOption = None,
    key_file: settings.KeyFileOption = None,
    base_url: settings.BaseUrlOption = settings.BASE_URL,
    json: settings.JsonOption = False,
    quiet: settings.QuietOption = False,
    verbose: settings.VerboseOption = False,
    log_format: settings.LogFormatOption = settings.LogFormat.TEXT,
) -> None:
    """Open another attempt for rows that were refused.

    Then it goes on as resume does. With --status doubt it sends rows again of which nobody knows whether they have a task already: a row may then be
    paid twice. mwbatch reconcile settles doubt without that risk, where it can.

    \b
    Examples:
      mwbatch retry ten
      mwbatch retry ten --status canceled --id shot-0003 --yes
    """

    async def command(desk: "Desk") -> Result:
        from mwbatch.commands.retry import retry
        from mwbatch.views.outcomes import created

        where = open_home(home, key_file, desk)
        async with open_client(base_url, timeout, concurrency) as client:
            wishes = wishes_of(
                callback_url,
                concurrency,
                rate,
                keep_going,
                checked_settle(settle, base_url),
                max_tasks,
                price,
                max_cost,
                yes,
            )
            return created(await retry(where, client, batch, choice_of(status, ids, ids_from), wishes, desk))

    perform(command, Manner(json, quiet, verbose, log_format))


def choice_of(status: str, ids: list[str] | None, ids_from: Path | None) -> "Choice":
    """The chosen rows as the command takes them; raises `UsageError` for what cannot be chosen."""
    from mwbatch.commands.retry import RETRIABLE, Choice
    from mwbatch.core.fold import Status
    from mwbatch.errors import UsageError

    if status not in RETRIABLE:
        raise UsageError(f"--status {status}: choose one of {', '.join(RETRIABLE)}")
    listed: list[str] = []
    if ids_from is not None:
        try:
            listed = [
                line.strip() for line in ids_from.read_text(encoding="utf-8").splitlines() if line.strip()
            ]
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"cannot read the ids in {ids_from}: {error}") from None
        if not listed:
            raise UsageError(f"{ids_from} lists no ids, so no row was chosen")
    return Choice(Status(status), (*(ids or ()), *listed))


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(retry)
