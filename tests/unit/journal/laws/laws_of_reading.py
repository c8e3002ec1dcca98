"""The laws of reading a journal, and of what is read and written in one step."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mwbatch.core.facts.digests import identity
from mwbatch.core.facts.kinds import Fact, Failed, Planned, Request, Via
from mwbatch.core.spending.plan import precedence
from mwbatch.core.state.batch import Batch
from mwbatch.core.state.row_status import Status
from mwbatch.core.state.task_state import answered
from mwbatch.errors import BatchBusy
from mwbatch.journal.interface.health import Health
from tests.support.facts import ROWS, answer, call, fail, histories, mixed_up, plan, show, start
from tests.unit.journal.laws.journal_laws import Laws, Open, closed, facts_of


def again(row: int, edition: int, note: str = "") -> Planned:
    """A row in another edition."""
    request: Request = {"image_url": f"https://images.test/{row}.jpg?signature={edition}{note}"}
    return plan(row)._replace(edition=edition, request=request)


class ReadingLaws(Laws):
    """What all other methods promise."""

    async def test_close_absent_ends_what_is_in_doubt(self, opening: Open) -> None:
        """Law 3: an attempt ends where nothing was seen of it by now, whoever saw it.

        What the API denied, in spite of that.
        """
        journal, other = opening(), opening()
        await journal.append([plan(0), plan(1), plan(2), plan(3), start(1, ((0, 4),)), fail(1, row=3)])
        state = journal.refresh()
        await other.append([call(1, row=1), call(1, row=2)])
        failed = [fail(1, row=n) for n in range(4)]
        failed[2] = fail(1, row=2, denied=True)
        assert await journal.close_absent(failed, nobody) == [True, False, True, False]
        state = journal.refresh(state)
        assert [state.row(n).failed for n in range(4)] == [2, 0, 2, 2]
        assert len(list(journal.facts(Failed))) == 3
        await journal.append([show(1, row=0)])
        assert await journal.close_absent([fail(1, row=1, denied=True)], nobody) == [False]
        await journal.close()
        await other.close()

    async def test_close_absent_asks_who_holds_the_batch(self, opening: Open) -> None:
        """Law 3: where the batch is not ours any more nothing is written."""
        journal = opening()
        await journal.append([plan(0), start(1)])
        with pytest.raises(BatchBusy):
            await journal.close_absent([fail(1)], lost)
        assert list(journal.facts(Failed)) == []
        await journal.close()

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
    @given(histories | mixed_up, st.lists(st.integers(0, 14), max_size=3))
    @example([plan(0), answer(2, at="2024-01-02", via=Via.GET), answer(1, at="2024-01-01")], [])
    def test_the_state_is_in_step(self, facts: list[Fact], looks: list[int]) -> None:
        """Laws 4, 5, 6: whenever one looks, state, answers and news are what the fold of all facts says."""
        with TemporaryDirectory() as folder:
            asyncio.run(self._in_step(self.anew(Path(folder)), facts, looks))

    async def _in_step(self, opening: Open, facts: list[Fact], looks: list[int]) -> None:
        async with closed(opening(), opening()) as (journal, viewer):
            state, followed, completed = viewer.refresh(), Batch(), list[int]()
            news = viewer.news(followed)
            for number, fact in enumerate(facts):
                await journal.append([fact])
                if number in looks:
                    state = viewer.refresh(state)
                    completed += [planned.row for planned, _ in news.look()]
            whole = Batch(facts_of(journal))
            assert dict(viewer.refresh(state).rows) == dict(whole.rows)
            completed += [planned.row for _ in range(2) for planned, _ in news.look()]
            assert news.quiet
            assert followed.by_status() == whole.by_status()
            done = [
                n for n in range(ROWS) if whole.row(n).planned and whole.row(n).status is Status.COMPLETED
            ]
            assert sorted(completed) == done
            kept = [whole.row(n).kept for n in done]
            least = {n: one and one.least for n, one in zip(done, kept, strict=True)}
            late = {planned.row: answered(seen) for planned, seen in viewer.news(Batch()).look()}
            assert late == least
            for answers in (viewer.answered(), viewer.answered(whole.chosen())):
                shown = {int(planned.row): seen for planned, seen in answers if seen is not None}
                assert (
                    sorted(shown) == done == [n for n in range(ROWS) if whole.row(n).planned and n in answers]
                )
                assert {n: answered(shown[n]) for n in done} == least

    async def test_answers_are_as_they_stood(self, opening: Open) -> None:
        """Law 5: in the order of the rows, with those that have none.

        The same again, whatever is appended meanwhile.
        """
        async with closed(opening()) as (journal,):
            await journal.append([plan(2), plan(0), plan(1), answer(1, row=0), answer(1, row=2)])
            answers = journal.answered()
            there = list(answers)
            assert [(planned.row, seen is not None) for planned, seen in there] == [
                (2, True),
                (0, True),
                (1, False),
            ]
            await journal.append([answer(1, row=1), answer(1, "no", at="2023-01-01", row=0)])
            assert (list(answers), [n in answers for n in range(4)]) == (there, [True, False, True, False])
            assert len(list(journal.answers())) == 4

    async def test_news_come_in_the_order_of_the_answers(self, opening: Open) -> None:
        """Law 6: as their answers came; an answer before its row is given once the row is there."""
        async with closed(opening(), opening()) as (journal, viewer):
            news = viewer.news(Batch())
            await journal.append([*map(plan, range(4)), answer(1, row=3), answer(1, row=1), answer(1, row=4)])
            assert [planned.row for planned, _ in news.look()] == [3, 1]
            await journal.append([plan(4), answer(1, "no", row=1), answer(1, row=0)])
            assert {planned.row for planned, _ in news.look()} == {4, 0}
            assert ([*news.look()], news.quiet) == ([], True)

    @settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
    @given(
        st.permutations([plan(0), again(0, 1), again(0, 2), again(0, 2, "b"), plan(1), again(2, 1), plan(2)])
    )
    def test_the_latest_edition_of_a_row_holds(self, facts: list[Planned]) -> None:
        """Law 5: of each row the greatest edition, in the order of planning, in whichever way one asks."""
        with TemporaryDirectory() as folder:
            asyncio.run(self._latest(self.anew(Path(folder)), facts))

    async def _latest(self, opening: Open, facts: Sequence[Planned]) -> None:
        async with closed(opening()) as (journal,):
            await journal.append(facts)
            latest = {int(planned.row): planned for planned in journal.rows()}
            assert list(latest) == list(dict.fromkeys(fact.row for fact in facts))
            assert {row: planned.edition for row, planned in latest.items()} == {0: 2, 1: 0, 2: 1}
            assert latest[0] == max(again(0, 2), again(0, 2, "b"), key=precedence)
            assert {row: journal.plans()(row) for row in range(4)} == {3: None, **latest}
            assert list(journal.rows((0).__eq__)) == [latest[0]]
            assert list(journal.rows({1, 2}.__contains__, "tagging")) == [p for n, p in latest.items() if n]
            assert list(journal.rows(None, "annotating")) == []

    async def test_who_takes_callbacks(self, opening: Open) -> None:
        """What is there is known once it was learnt: answers, by name, and callbacks that brought none."""
        async with closed(opening()) as (journal,):
            await journal.append([answer(1), call(2), show(3), answer(4, row=2)])
        async with closed(opening()) as (journal,):
            heard: list[bytes] = []
            assert journal.index(lambda kept: heard.append(kept.name)) == 2
            assert sorted(heard) == sorted(filter(None, map(identity, (answer(1), answer(4, row=2)))))
            assert [journal.knows(one) for one in (answer(1), answer(2), call(2))] == [True, False, False]
            assert (list(journal.callbacks()), journal.stands(), journal.backlog) == ([call(2)], True, 0)
            assert (await journal.probe(), journal.health()) == (True, Health((), 0, full=False))

    async def test_tasks_that_are_recorded(self, opening: Open) -> None:
        """Each task that was shown without an answer is told once."""
        async with closed(opening(), opening()) as (journal, viewer):
            tasks = viewer.tasks()
            await journal.append([show(1, task="a"), answer(1, task="b"), show(2, task="c", row=1)])
            await journal.append([show(1, task="d", row=2)])
            assert list(tasks.look()) == [(0, 1, b'"a"'), (1, 2, b'"c"'), (2, 1, b'"d"')]
            assert list(tasks.look()) == []


def nobody() -> None:
    """Nobody else holds the batch."""


def lost() -> NoReturn:
    """Somebody else does."""
    raise BatchBusy("it is another's")
