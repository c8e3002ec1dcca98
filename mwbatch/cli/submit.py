r"""`mwbatch submit` and `mwbatch resume`."""

from typing import TYPE_CHECKING, Annotated

import typer

from mwbatch import settings
from mwbatch.cli.program import Manner, Result, perform
from mwbatch.cli.wiring import asked, checked_settle, never_asked, open_client, open_home

if TYPE_CHECKING:
    from mwbatch.commands.creating import Wishes
    from mwbatch.commands.desk import Desk

BatchOption = Annotated[
    str | None,
    typer.Option("--batch", help="The batch's name. Default: the one of this manifest, else its file name."),
]
AddOption = Annotated[bool, typer.Option("--add", help="Add the rows of another file to an existing batch.")]
DuplicatesOption = Annotated[
    bool, typer.Option("--allow-duplicates", help="Let a new id ask for what a known row asks for already.")
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", "-n", help="Say what would be sent; send and write nothing.")
]
KeepGoingOption = Annotated[
    bool, typer.Option("--keep-going", help="Do not stop when 20 rows in a row are refused alike.")
]
MaxTasksOption = Annotated[
    int | None, typer.Option("--max-tasks", min=0, help="Most tasks that this batch may ever have.")
]
PriceOption = Annotated[float | None, typer.Option("--price", min=0.0, help="What one task costs.")]
MaxCostOption = Annotated[
    float | None,
    typer.Option(
        "--max-cost",
        envvar="MWBATCH_MAX_COST",
        min=0.0,
        help="Most that this batch may ever cost, at --price a task.",
    ),
]


def submit(
    manifest: settings.ManifestArgument,
    *,
    batch: BatchOption = None,
    callback_url: settings.CallbackUrlOption = None,
    dry_run: DryRunOption = False,
    add: AddOption = False,
    allow_duplicates: DuplicatesOption = False,
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
    """Create a task for every row of a manifest that has none.

    Run it again after any interruption, or with rows added: only what is missing is sent. The API key is read from
    MICROWORK_API_KEY, or from the file that MICROWORK_API_KEY_FILE names.

    \b
    Examples:
      mwbatch submit sample_manifests/ten.csv --dry-run
      mwbatch submit sample_manifests/ten.csv --callback-url http://127.0.0.1:8080
    """

    async def command(desk: "Desk") -> Result:
        from mwbatch.commands.planning import source_of
        from mwbatch.commands.submit import rehearse, submit
        from mwbatch.views.outcomes import created

        where = open_home(home, key_file, desk)
        async with source_of(manifest, batch, allow_duplicates=allow_duplicates, add=add) as source:
            if dry_run:
                return await rehearse(where, base_url, source, desk, price)
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
                return created(await submit(where, client, source, wishes, desk))

    perform(command, Manner(json, quiet, verbose, log_format))


def resume(
    batch: settings.BatchArgument,
    *,
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
    """Go on with a batch where it stopped.

    The manifest is not read again. The callback base is the one used last, unless another is given.

    \b
    Examples:
      mwbatch resume ten
      mwbatch resume sample_manifests/ten.csv --concurrency 16 --json
    """

    async def command(desk: "Desk") -> Result:
        from mwbatch.commands.submit import resume
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
            return created(await resume(where, client, batch, wishes, desk))

    perform(command, Manner(json, quiet, verbose, log_format))


def wishes_of(
    callback_url: str | None,
    concurrency: int,
    rate: float | None,
    keep_going: bool,
    settle: float,
    max_tasks: int | None,
    price: float | None,
    max_cost: float | None,
    yes: bool,
) -> "Wishes":
    """The user's wishes as the commands take them."""
    from mwbatch.commands.creating import Wishes
    from mwbatch.core.limits import Limits

    limits = Limits(max_tasks, price, max_cost)
    return Wishes(callback_url, concurrency, rate, keep_going, settle, limits, never_asked if yes else asked)


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command()(submit)
    app.command()(resume)
