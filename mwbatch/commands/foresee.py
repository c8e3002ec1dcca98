"""What a submission would find: the rows of a manifest, compared with its batch and with all others. No HTTP is needed."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mwbatch.commands.asked_before import account_of, unasked
from mwbatch.commands.candidates import Candidates
from mwbatch.commands.desk import Desk
from mwbatch.commands.planning import Source, addressed, choose, examine, volatile
from mwbatch.commands.survey import Survey
from mwbatch.core.batch import Batch
from mwbatch.core.overlaps import Repeats
from mwbatch.journal.card import Card
from mwbatch.journal.home import Home
from mwbatch.journal.opened import Opened, look

if TYPE_CHECKING:
    from mwbatch.client import Client


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a submission would find: the batch of the manifest, if it is there, its rows, those that it may not send."""

    card: Card
    batch: Opened | None
    found: Survey
    left_out: int
    to_send: int


async def foresee(
    home: Home, origin: str, source: Source, repeats: Repeats, desk: Desk, client: "Client | None" = None
) -> Foreseen:
    """Read a manifest and compare its rows as `submit` would, without the locks and without a write; raises as it does.

    The account's listing is looked at where there is a ``client``.
    """
    source = replace(await addressed(home, source), only_new=repeats.only_new)
    chosen = choose(home, source, origin)
    chosen.card.pinned(origin)
    if not chosen.folder:
        home.check_new(chosen.card.name)
    batch = await look(home, chosen.folder, chosen.card) if chosen.folder else None
    found, state = await examine(source, batch, desk), batch.state if batch else Batch()
    card = replace(chosen.card, volatile=volatile(source, chosen.card))
    candidates = Candidates(card, batch, source=source, found=found, keep=False)
    account = await account_of(client, candidates, repeats, desk) if client else None
    compared = await unasked(home, origin, candidates, repeats, desk, account)
    old = sum(number < state.end for number in compared.numbers())
    found.leave_out(number for number in compared.numbers() if number >= state.end)
    return Foreseen(chosen.card, batch, found, old + found.left_out, found.new + state.sendable() - old)
