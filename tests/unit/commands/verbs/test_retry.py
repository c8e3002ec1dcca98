"""Second chances: only the rows that were chosen, and doubt only where the user accepts to pay twice."""

from typing import Any

import pytest

from mwbatch.commands.verbs.retry import Choice, _chosen, retry
from mwbatch.commands.verbs.submit import submit
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.facts.kinds import Failed, Retried, Verdict, Withdrawn
from mwbatch.core.report.command_outcomes import Created
from mwbatch.core.state.row_status import MOST_AUTOMATIC, Status
from mwbatch.errors import Exit, OtherApi, Unsure, UsageError
from tests.support.facts import fail, show, start
from tests.support.virtual import virtual
from tests.unit.commands.conftest import ELSEWHERE, EPOCH, Stage, answer, clock, silent


async def sent(stage: Stage, *plays: Any) -> None:
    """Submit as many rows a, b, c … as there are plays, one at a time, and let each meet its play."""
    stage.wire.plays = list(plays)
    manifest = stage.manifest(*"abcdef"[: len(plays)])
    stage.context.stopping.clear()
    stage.wire.on_create = lambda _: (
        stage.context.stopping.set() if len(stage.wire.creates) == len(plays) else None
    )
    await submit(stage.home, stage.client, manifest, silent(concurrency=1), stage.context)
    stage.wire.on_create, stage.context = lambda _: None, stage.new_context()


async def again(stage: Stage, status: Status = Status.REJECTED, *ids: str) -> Created:
    """Retry, with the base used before."""
    return await retry(stage.home, stage.client, "logos", Choice(status, ids), silent(), stage.context)


def opened(stage: Stage) -> list[tuple[int, int]]:
    """Which attempts were opened."""
    return sorted((fact.row, fact.attempt) for fact in stage.on_disk() if isinstance(fact, Retried))


@virtual
async def test_rejected_rows_by_default(stage: Stage) -> None:
    """Without a choice the rejected rows get another attempt, and no other row is sent."""
    await sent(stage, None, answer(422), None, answer(422))
    assert stage.statuses() == {"pending": 2, "rejected": 2}
    created = await again(stage)
    assert (created.exit, opened(stage), stage.statuses()) == (Exit.DONE, [(1, 2), (3, 2)], {"pending": 4})
    assert (len(stage.wire.creates), stage.context.tally.notes[0]) == (6, "2 rows get another attempt")


@virtual
async def test_only_the_ids_that_are_named(stage: Stage) -> None:
    """Where ids are given, no other rejected row is sent."""
    await sent(stage, None, answer(422), answer(422))
    await again(stage, Status.REJECTED, "c")
    assert (opened(stage), stage.statuses()) == ([(2, 2)], {"pending": 2, "rejected": 1})


@pytest.mark.parametrize(
    ("ids", "said"),
    [(("b", "z"), "batch logos has no row z"), (("b", "a"), "row a is pending, not rejected: see --status")],
)
@virtual
async def test_a_wrong_id_opens_nothing(stage: Stage, ids: tuple[str, ...], said: str) -> None:
    """An id that is not there, or whose row needs no second chance, is refused,
    and nothing is opened or sent.
    """
    await sent(stage, None, answer(422))
    with pytest.raises(UsageError, match=said):
        await again(stage, Status.REJECTED, *ids)
    assert (opened(stage), len(stage.wire.creates)) == ([], 2)


@virtual
async def test_doubt_only_where_it_is_asked_for(stage: Stage) -> None:
    """A row in doubt is opened by its status alone, and is then sent at once, without being settled first."""
    await sent(stage, None, Unsure("cut"), answer(422))
    assert stage.statuses() == {"pending": 1, "doubt": 1, "rejected": 1}
    times = stage.context.ticks()
    await again(stage, Status.DOUBT)
    assert (opened(stage), stage.statuses()) == ([(1, 2)], {"pending": 2, "rejected": 1})
    assert stage.context.ticks() - times < 5


@virtual
async def test_a_retry_of_others_leaves_doubt_to_be_settled(stage: Stage) -> None:
    """A retry of rejected rows opens no row in doubt: it is sent again only after it was settled."""
    await sent(stage, None, Unsure("cut"), answer(422))
    times = stage.context.ticks()
    await again(stage)
    assert (opened(stage), stage.statuses()) == ([(2, 2)], {"pending": 3})
    assert stage.context.ticks() - times > 150


@virtual
async def test_what_was_sent_in_vain_is_tried_again(stage: Stage) -> None:
    """A row that was sent as often as is done of its own accord stays until a retry,
    which opens the next attempt.
    """
    batch = await stage.opened(1)
    tries = range(1, MOST_AUTOMATIC + 2)
    await batch.record([Failed(EPOCH, RowNumber(0), Attempt(n), Verdict.ABSENT, final=False) for n in tries])
    await batch.journal.close()
    batch.own.trust.forgive(["1 rows have an outcome and no start"])
    assert (batch.state.rows[0].status, batch.state.rows[0].sendable) == (Status.PLANNED, False)
    await again(stage)
    assert (opened(stage), stage.statuses()) == ([(0, 5)], {"pending": 1})


@virtual
async def test_a_row_that_has_a_task_is_not_opened_for_what_was_before(stage: Stage) -> None:
    """A row that was absent once and has a task since is neither in doubt nor sent in vain; a row that was
    never sent is none of these, either: each further attempt would be paid.
    """
    batch = await stage.opened(3)
    await batch.record([start(1, ((0, 1),)), fail(1), start(2, ((0, 1),)), show(2), start(1, ((1, 2),))])
    await batch.journal.close()
    chosen = {
        status: [*_chosen(batch, Choice(status))]
        for status in (Status.DOUBT, Status.REJECTED, Status.CANCELED)
    }
    assert chosen == {Status.DOUBT: [1], Status.REJECTED: [], Status.CANCELED: []}


@virtual
async def test_canceled_rows(stage: Stage) -> None:
    """A withdrawn row, and one whose task was cancelled, get an attempt that nothing forbids."""
    await sent(stage, None, answer(422), answer(422))
    batch = await stage.opened()
    await batch.record([Withdrawn(clock(), RowNumber(1), Attempt(2))])
    await batch.journal.close()
    stage.world.cancel(next(iter(batch.state.rows[0].tasks)), clock())
    await again(stage, Status.CANCELED)
    assert opened(stage) == [(1, 3)]
    await again(stage, Status.CANCELED)
    assert opened(stage) == [(0, 2), (1, 3)]


@virtual
async def test_another_api_is_refused(stage: Stage) -> None:
    """A batch's rows are retried at its own API alone."""
    await sent(stage, answer(422))
    with pytest.raises(OtherApi):
        await retry(stage.home, stage.client_at(ELSEWHERE), "logos", Choice(), silent(), stage.context)
    assert opened(stage) == []
