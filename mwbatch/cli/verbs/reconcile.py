"""`mwbatch reconcile`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

from mwbatch.cli.options import verb
from mwbatch.cli.program import perform
from mwbatch.cli.wiring import library_batch, open_home
from mwbatch.core.words import values
from mwbatch.errors import UsageError
from mwbatch.library.settings import groups as settings
from mwbatch.library.settings.declarations import Option
from mwbatch.views.plain import Result

if TYPE_CHECKING:
    from mwbatch.commands.context.context import Context
    from mwbatch.journal.interface.store import Store

DIFFERING: Final = "differing"
"""The one list that the API has to be asked for."""


@dataclass(frozen=True, slots=True)
class ReconcileArguments:
    """How to reconcile."""

    wait: Annotated[bool, Option("--wait", help="Look again until nothing is pending.")] = False
    every: Annotated[
        float, Option("--every", min=0.1, beside="--wait", help="Seconds between two looks, with --wait.")
    ] = values.POLL
    most: Annotated[
        float | None,
        Option("--for", min=0.0, beside="--wait", help="Seconds to wait at most, with --wait."),
    ] = None
    offline: Annotated[bool, Option("--offline", help="Make no request: count what is on disk.")] = False
    what: Annotated[
        str | None,
        Option(
            "--list",
            metavar="WHAT",
            help="List each of: surplus (extra tasks), conflicts (answers that disagree), unknown "
            "(tasks of rows that are not "
            "here), damaged (lines), unusable (callbacks that did not fit), or differing (from what "
            "the API has: it is asked).",
        ),
    ] = None
    unproved: Annotated[
        bool,
        Option(
            "--unproved",
            help="Do not exit 3 for want of a proof: for an API that never shows callback addresses.",
        ),
    ] = False
    settle: settings.SettleOption = values.SETTLE

    def check(self) -> None:
        """See that the options go together; raises `UsageError`."""
        if self.wait and (self.offline or self.what not in {None, DIFFERING}):
            raise UsageError(
                "--wait looks again at what the API has; --offline and --list look at what is on disk: "
                "leave out one of them"
            )
        if self.offline and self.what == DIFFERING:
            raise UsageError("--list differing compares with what the API lists: leave out --offline")


@verb
def reconcile(
    batch: settings.BatchArgument,
    *,
    way: ReconcileArguments,
    place: settings.HomeOptions,
    api: settings.Api,
    talk: settings.OutputOptions,
) -> None:
    """Prove where every row is, and that none was paid twice.

    It lists every task that the API has of the batch, fetches the answers whose callback never came, settles
    rows in doubt, and cancels extra tasks while they are pending. Given the path of a manifest it compares
    with that, too.

    \b
    Examples:
      mwbatch reconcile ten --wait --every 2 --for 60
      mwbatch reconcile sample_manifests/ten.csv --offline --json
    """

    async def command(context: "Context") -> Result:
        from mwbatch.views.listing import differing
        from mwbatch.views.outcomes import reconciled

        way.check()
        if way.what is not None and way.what != DIFFERING:
            return await details(open_home(place, context), batch, way.what)
        async with library_batch(batch, place, context, api) as there:
            found = await there.reconcile(
                wait=way.wait,
                every=way.every,
                most=way.most,
                offline=way.offline,
                unproved=way.unproved,
                settle=way.settle,
            )
        return reconciled(found) if way.what is None else differing(found)

    perform(command, talk)


async def details(store: "Store", batch: str, what: str) -> Result:
    """One of the lists, from what is on disk."""
    from mwbatch.journal.files.closing import in_thread
    from mwbatch.journal.interface.open_batch import look
    from mwbatch.views import listing

    lists = {
        "surplus": listing.surplus,
        "conflicts": listing.conflicts,
        "unknown": listing.unknown,
        "damaged": listing.damaged,
        "unusable": listing.rejected,
    }
    what = "unusable" if what == "rejected" else what  # as it was called first; rows are rejected
    if what not in lists:
        raise UsageError(f"--list {what}: choose one of {', '.join(lists)}, {DIFFERING}")
    return await in_thread(lists[what], await look(store, store.find(batch)))
