"""Second chances: open another attempt for rows that the user chose, then go on as resume does."""

from array import array
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Final

from mwbatch.client import Client
from mwbatch.commands.asking.asked_before import Compared, account_of, leave_out, told_left_out, unasked
from mwbatch.commands.asking.choosing import named
from mwbatch.commands.asking.planning_turn import turn_in
from mwbatch.commands.context.context import Context
from mwbatch.commands.context.session import Session
from mwbatch.commands.manifest.candidates import Candidates
from mwbatch.commands.sending.creating import SendOptions, check, check_base, create
from mwbatch.core.codec.ids import RowNumber
from mwbatch.core.facts.kinds import Retried
from mwbatch.core.report.command_outcomes import Created
from mwbatch.core.state.row_status import Row, Status
from mwbatch.core.words.plural import rows
from mwbatch.errors import BadValue, UsageError
from mwbatch.journal.files.closing import in_thread
from mwbatch.journal.interface.open_batch import OpenBatch
from mwbatch.journal.interface.store import Store

RETRIABLE: Final = (Status.REJECTED, Status.CANCELED, Status.DOUBT)
"""The statuses of which another attempt can be opened; doubt only by a user who accepts that it may pay
twice."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which rows: those in ``status``, and where ``ids`` are given only those.

    Raises `UsageError` for what cannot be.
    """

    status: str = Status.REJECTED
    ids: Collection[str] = field(default=())

    def __post_init__(self) -> None:
        if self.status not in RETRIABLE:
            raise BadValue("status", self.status, f"choose one of {', '.join(RETRIABLE)}")
        if isinstance(self.ids, str):
            raise BadValue("ids", self.ids, "a list of ids would do", "--id")


async def retry(
    store: Store, client: Client, name: str, choice: Choice, options: SendOptions, context: Context
) -> Created:
    """Open another attempt for the chosen rows and create what is missing; raises as `resume` does.

    Rows that were sent in vain as often as is done of its own accord are opened too; with those in doubt also
    the rows that were closed as absent, since nothing sends them any more once an absence was refuted.
    """
    ref = await in_thread(store.find, name)
    check(options, ref.info, client.origin)
    async with store.act(ref, "retry") as batch:
        await check_base(options, batch)
        chosen = await in_thread(_chosen, batch, choice)
        left_out = await _reopened(batch, client, chosen, options, context)
        return replace(await create(Session(batch, client, context), options), left_out=left_out)


async def _reopened(
    batch: OpenBatch, client: Client, chosen: "array[int]", options: SendOptions, context: Context
) -> int:
    """Compare the rows with what others asked for, and open another attempt for those that nobody did."""
    candidates = Candidates(batch.info, batch, chosen)
    account = await account_of(batch.store, client, candidates, options.repeats, context)
    async with turn_in(batch.store, context):
        compared = await unasked(batch.store, client.origin, candidates, options.repeats, context, account)
        return await _open(batch, chosen, compared, context)


async def _open(batch: OpenBatch, chosen: "array[int]", compared: Compared, context: Context) -> int:
    """Open another attempt for rows; returns how many were asked for before and are left out."""
    await leave_out(batch, compared, context)
    gone = bytearray(batch.state.end)
    for number in compared.numbers():
        gone[number] = 1
    opened = array("Q", (number for number in chosen if not gone[number]))
    context.tally.note(f"{rows(len(opened))} get another attempt")
    await batch.record_all(
        Retried(context.now(), RowNumber(row), batch.state.row(row).fresh_attempt) for row in opened
    )
    await compared.keep_consent(batch, context.now())
    return told_left_out(compared.overlaps.rows, context)


def _chosen(batch: OpenBatch, choice: Choice) -> "array[int]":
    """The numbers of the chosen rows.

    Raises:
        UsageError: an id is not in the batch, or its row cannot get another attempt.
    """
    if not choice.ids:
        there = batch.state.rows.items()
        return array("Q", (n for n, row in there if row.planned and _fits(row, choice.status)))
    chosen = array("Q")
    for planned in named(batch, choice.ids):
        row = batch.state.row(planned.row)
        if not _fits(row, choice.status):
            raise UsageError(f"row {planned.id} is {row.status}, not {choice.status}: see --status")
        chosen.append(planned.row)
    return chosen


def _fits(row: Row, status: str) -> bool:
    in_vain = row.exhausted or (status == Status.DOUBT and bool(row.absent))
    return row.status == status or (in_vain and row.status is Status.PLANNED)
