"""`mwbatch retry` and `mwbatch cancel`: second thoughts."""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from mwbatch.cli.options import verb
from mwbatch.cli.program import perform
from mwbatch.cli.signals import obeyed
from mwbatch.cli.wiring import asked, open_client, open_home, wishes
from mwbatch.core.words.hint import typed
from mwbatch.library import settings
from mwbatch.library.declarations import Option
from mwbatch.library.options import never_asked
from mwbatch.views.plain import Result

if TYPE_CHECKING:
    from mwbatch.commands.context.context import Desk
    from mwbatch.commands.verbs.retry import Choice

StatusOption = Annotated[str, Option("--status", help="Which rows: rejected, canceled or doubt.")]
IdsOption = Annotated[tuple[str, ...], Option("--id", help="Only this row; may be given several times.")]
IdsFromOption = Annotated[
    Path | None,
    Option("--ids-from", help="Only the rows whose ids a file lists, one a line; - for standard input."),
]


@verb
def retry(
    batch: settings.BatchArgument,
    *,
    status: StatusOption = "rejected",
    ids: IdsOption = (),
    ids_from: IdsFromOption = None,
    spending: settings.Spending,
    repeats: settings.Asking,
    place: settings.Place,
    api: settings.Api,
    talk: settings.Talk,
) -> None:
    """Open another attempt for rows that were refused.

    Then it goes on as resume does. With --status doubt it sends rows again of which nobody knows whether they
    have a task already: a row may then be paid twice. mwbatch reconcile settles doubt without that risk,
    where it can.

    \b
    Examples:
      mwbatch retry ten
      mwbatch retry ten --status canceled --id shot-1003 --yes
    """

    async def command(desk: "Desk") -> Result:
        from mwbatch.commands.verbs.retry import retry
        from mwbatch.views.outcomes import created

        home, choice = open_home(place, desk), choice_of(status, ids, ids_from)
        async with open_client(api, desk, spending.concurrency) as client:
            return created(await retry(home, client, batch, choice, wishes(spending, repeats), desk))

    perform(command, talk)


def choice_of(status: str, ids: tuple[str, ...], ids_from: Path | None) -> "Choice":
    """The chosen rows as the command takes them; raises `UsageError` for what cannot be chosen."""
    from mwbatch.commands.verbs.retry import Choice

    return Choice(status, ids_of(ids, ids_from))


def ids_of(ids: tuple[str, ...], ids_from: Path | None) -> tuple[str, ...]:
    """The ids that were named, and those that a file lists, one a line;
    raises `UsageError` for a file without any.
    """
    from mwbatch.core.codec.plain_text import NoText
    from mwbatch.core.manifest.listed_ids import listed
    from mwbatch.errors import UsageError

    if ids_from is None:
        return ids
    is_stream = str(ids_from) == "-"
    name = "standard input" if is_stream else ids_from
    try:
        # A pipe may be waited for; and standard input stays open.
        with obeyed(), nullcontext(sys.stdin.buffer) if is_stream else ids_from.open("rb") as file:
            there = (*ids, *listed(file.readline, "" if is_stream else typed(ids_from)))
    except OSError as error:
        raise UsageError(f"cannot read the ids in {name}: {error.strerror or error}") from None
    except NoText as error:
        raise UsageError(f"{name}, which is to list ids, is {error}") from None
    if len(there) == len(ids):
        raise UsageError(f"{name} lists no ids, so no row was chosen")
    return there


YesOption = Annotated[bool, Option("--yes", "-y", help="Do not ask before more than 100 rows are concerned.")]


@verb
def cancel(
    batch: settings.BatchArgument,
    *,
    ids: IdsOption = (),
    ids_from: IdsFromOption = None,
    yes: YesOption = False,
    place: settings.Place,
    api: settings.Api,
    talk: settings.Talk,
) -> None:
    """Give rows up: withdraw unsent ones, cancel pending tasks.

    Without --id or --ids-from all rows that are not final. A task that people have completed meanwhile keeps
    its answer. To think better of it: mwbatch retry BATCH --status canceled.

    \b
    Examples:
      mwbatch cancel ten --id shot-1003 --id shot-1005
      mwbatch cancel ten --id shot-1007 --json
    """

    async def command(desk: "Desk") -> Result:
        from mwbatch.commands.verbs.cancel import cancel
        from mwbatch.views.outcomes import canceled

        home, chosen = open_home(place, desk), ids_of(ids, ids_from)
        async with open_client(api, desk) as client:
            confirm = never_asked if yes else asked
            return canceled(await cancel(home, client, batch, chosen, desk, confirm))

    perform(command, talk)
