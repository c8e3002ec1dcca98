"""`mwbatch retry` and `mwbatch cancel`: second thoughts."""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from mwbatch.cli.options import verb
from mwbatch.cli.program import perform
from mwbatch.cli.signals import obeyed
from mwbatch.cli.wiring import asked, keywords, library_batch
from mwbatch.core.words.hint import typed
from mwbatch.library.settings import groups as settings
from mwbatch.library.settings.declarations import Option
from mwbatch.library.settings.keywords import never_asked
from mwbatch.views.plain import Result

if TYPE_CHECKING:
    from mwbatch.commands.context.context import Context

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
    repeats: settings.AskedBeforeOptions,
    place: settings.HomeOptions,
    api: settings.Api,
    talk: settings.OutputOptions,
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

    async def command(context: "Context") -> Result:
        from mwbatch.views.outcomes import created

        async with library_batch(batch, place, context, api, spending.concurrency) as there:
            chosen, options = ids_of(ids, ids_from), keywords(spending, repeats)
            return created(await there.retry(status=status, ids=chosen, **options))

    perform(command, talk)


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
    place: settings.HomeOptions,
    api: settings.Api,
    talk: settings.OutputOptions,
) -> None:
    """Give rows up: withdraw unsent ones, cancel pending tasks.

    Without --id or --ids-from all rows that are not final. A task that people have completed meanwhile keeps
    its answer. To think better of it: mwbatch retry BATCH --status canceled.

    \b
    Examples:
      mwbatch cancel ten --id shot-1003 --id shot-1005
      mwbatch cancel ten --id shot-1007 --json
    """

    async def command(context: "Context") -> Result:
        from mwbatch.views.outcomes import canceled

        async with library_batch(batch, place, context, api) as there:
            chosen, confirm = ids_of(ids, ids_from), never_asked if yes else asked
            return canceled(await there.cancel(ids=chosen, confirm=confirm))

    perform(command, talk)
