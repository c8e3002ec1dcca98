"""`mwbatch retry`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mwbatch import settings
from mwbatch.cli.options import unfolded
from mwbatch.cli.program import Result, perform
from mwbatch.cli.wiring import open_client, open_home, wishes

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


@unfolded
def retry(
    batch: settings.BatchArgument,
    *,
    status: StatusOption = "rejected",
    ids: IdsOption = None,
    ids_from: IdsFromOption = None,
    spending: settings.Spending,
    place: settings.Place,
    api: settings.Api,
    talk: settings.Talk,
) -> None:
    """Open another attempt for rows that were refused.

    Then it goes on as resume does. With --status doubt it sends rows again of which nobody knows whether they have a
    task already: a row may then be paid twice. mwbatch reconcile settles doubt without that risk, where it can.

    \b
    Examples:
      mwbatch retry ten
      mwbatch retry ten --status canceled --id shot-0003 --yes
    """

    async def command(desk: "Desk") -> Result:
        from mwbatch.commands.retry import retry
        from mwbatch.views.outcomes import created

        home, choice = open_home(place, desk), choice_of(status, ids, ids_from)
        async with open_client(api, spending.concurrency) as client:
            return created(await retry(home, client, batch, choice, wishes(spending, api), desk))

    perform(command, talk)


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
