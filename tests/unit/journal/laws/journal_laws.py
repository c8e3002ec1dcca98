"""The laws of a journal: every back end passes them.

A back end's test is ``class TestMine(WritingLaws, ReadingLaws)`` with a way to make an empty one.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import pytest

from mwbatch.core.facts.kinds import Fact, Failed, Retried, Seen, Started, Withdrawn
from mwbatch.core.facts.lines import line
from mwbatch.core.state.batch import Batch
from mwbatch.journal.interface.journal import Intake, Journal
from tests.support.facts import answer, fail, plan, retry, show, start, withdraw

EVERY: list[Fact] = [plan(0), start(1), show(1), answer(1), fail(2), retry(3), withdraw(4)]
"""One fact of each kind, and of both kinds of seen."""


class Both(Intake, Journal, Protocol):
    """A journal for whoever works with it."""


Open = Callable[[], Both]


def told(journal: Journal) -> list[bytes]:
    """What a journal reads, in an order of our own."""
    return sorted(map(line, facts_of(journal)))


def facts_of(journal: Journal) -> list[Fact]:
    """Everything that a journal reads."""
    others = (fact for kind in (Started, Seen, Failed, Retried, Withdrawn) for fact in journal.facts(kind))
    return [*journal.rows(), *others, *journal.answers()]


@asynccontextmanager
async def closed(*journals: Both) -> AsyncIterator[tuple[Both, ...]]:
    """Open journals, closed at the end."""
    yield journals
    for journal in journals:
        await journal.close()


class Laws(ABC):
    """A store of the facts of one batch; the numbers of laws are those of `mwbatch.journal`."""

    @abstractmethod
    def anew(self, folder: Path) -> Open:
        """Make an empty store, in a folder where it needs one.

        Each call of what this gives opens it once more.
        """

    @pytest.fixture
    def opening(self, tmp_path: Path) -> Open:
        """An empty store."""
        return self.anew(tmp_path)


class WritingLaws(Laws):
    """What append and close promise."""

    async def test_nothing_is_there_at_first(self, opening: Open) -> None:
        """A journal begins empty, and appending nothing leaves it so."""
        journal = opening()
        assert await journal.append([]) == []
        assert told(journal) == []
        await journal.close()

    async def test_what_was_appended_is_read(self, opening: Open) -> None:
        """Every fact is new once and is read as soon as append returned."""
        journal = opening()
        assert await journal.append(EVERY) == [True] * len(EVERY)
        assert told(journal) == sorted(map(line, EVERY))
        await journal.close()

    async def test_an_answer_is_new_once(self, opening: Open) -> None:
        """The same answer is new once: in one call, in the next, and with other times."""
        journal = opening()
        again = answer(1, at="later")
        assert await journal.append([answer(1), again, answer(2)]) == [True, False, True]
        assert await journal.append([again, show(1), answer(1, "no")]) == [False, True, True]
        assert told(journal) == sorted(map(line, [answer(1), answer(2), show(1), answer(1, "no")]))
        await journal.close()

    async def test_an_answer_is_new_once_among_many(self, opening: Open) -> None:
        """Of many who append one answer at once, one is told that it is new."""
        journal = opening()
        news = await asyncio.gather(*(journal.append([answer(1), answer(2 + n % 2)]) for n in range(20)))
        assert [sum(new) for new in zip(*news, strict=True)] == [1, 2]
        assert len(told(journal)) == 3
        await journal.close()

    async def test_a_start_is_new_once(self, opening: Open) -> None:
        """A start is not new where any of its rows was started at that attempt.

        In one call, in the next, after opening.
        """
        journal = opening()
        assert await journal.append([start(1, ((0, 4),)), start(1, ((3, 5),)), start(2, ((3, 5),))]) == [
            True,
            False,
            True,
        ]
        assert await journal.append([show(1), start(1, ((4, 5), (9, 12)))]) == [True, True]
        await journal.close()
        journal = opening()
        assert await journal.append([start(1, ((5, 6), (11, 13))), start(1, ((5, 9),))]) == [False, True]
        assert len(list(journal.facts(Started))) == 4
        await journal.close()

    async def test_a_start_is_new_once_among_many(self, opening: Open) -> None:
        """Of many who start the same rows at once, one is told that it is new."""
        journal = opening()
        news = await asyncio.gather(*(journal.append([start(1, ((n, 20),))]) for n in range(10)))
        assert sorted(news) == [[False]] * 9 + [[True]]
        await journal.close()

    async def test_other_facts_may_repeat(self, opening: Open) -> None:
        """A fact that is neither an answer nor a start may be new each time: its repetition costs nothing."""
        journal, state = opening(), Batch([show(1)])
        for facts in ([show(1), show(1)], [show(1)]):
            assert len(await journal.append(facts)) == len(facts)
            assert journal.refresh().rows == state.rows
        await journal.close()

    async def test_what_one_wrote_another_reads(self, opening: Open) -> None:
        """Two open journals of one batch read each other's facts."""
        one, other = opening(), opening()
        await one.append([start(1), answer(1)])
        await other.append([start(2), answer(2)])
        facts = sorted([line(start(1)), line(answer(1)), line(start(2)), line(answer(2))])
        assert told(one) == told(other) == facts
        await one.close()
        await other.close()

    async def test_many_append_at_once(self, opening: Open) -> None:
        """What a hundred tasks append at once is all there, each one's facts in its own order."""
        journal = opening()
        news = await asyncio.gather(*(journal.append([start(n), fail(n), answer(n)]) for n in range(1, 100)))
        assert news == [[True] * 3] * 99
        assert len(told(journal)) == 297
        await journal.close()

    async def test_a_canceled_caller_takes_nothing_back(self, opening: Open) -> None:
        """Once its append began, a caller that is canceled neither loses its facts nor harms another's."""
        journal = opening()
        await journal.append([answer(1)])
        callers = [asyncio.create_task(journal.append([show(n), answer(n)])) for n in range(2, 9)]
        await asyncio.sleep(0)
        for caller in callers[::2]:
            caller.cancel()
        outcomes = await asyncio.gather(*callers, return_exceptions=True)
        assert all(new == [True, True] for new in outcomes[1::2])
        assert await journal.append([answer(n) for n in range(1, 9)]) == [False] * 8
        await journal.close()
        assert len(told(opening())) == 15

    async def test_what_comes_after_comes_whoever_waits(self, opening: Open) -> None:
        """Who is to hear of the end of an append hears once, when its facts are durable, also where the
        caller was canceled; of what is not new there is nothing to hear.
        """
        journal, heard = opening(), list[tuple[int, Exception | None, int]]()

        def after(number: int) -> Callable[[Exception | None], None]:
            return lambda error: heard.append((number, error, len(told(journal))))

        await journal.append([answer(1)], after(1))
        callers = [asyncio.create_task(journal.append([answer(n)], after(n))) for n in (1, 2, 2)]
        await asyncio.sleep(0)
        callers[1].cancel()
        await asyncio.gather(*callers, return_exceptions=True)
        await journal.append([show(3)], after(3))
        await journal.append([], after(4))
        await journal.close()
        assert heard == [(1, None, 1), (2, None, 2), (3, None, 3)]

    async def test_closed_and_opened_again(self, opening: Open) -> None:
        """What was appended is there after close, answers are known again, and more may be appended."""
        journal = opening()
        await journal.append(EVERY)
        await journal.close()
        journal = opening()
        assert told(journal) == sorted(map(line, EVERY))
        assert await journal.append([answer(1), answer(9), start(9)]) == [False, True, True]
        assert len(told(journal)) == len(EVERY) + 2
        await journal.close()

    async def test_close_waits_for_what_was_begun(self, opening: Open) -> None:
        """Close returns once every append that began is durable, and may be called twice."""
        journal = opening()
        callers = [asyncio.create_task(journal.append([show(n)])) for n in range(1, 6)]
        await asyncio.sleep(0)
        await journal.close()
        assert len(told(journal)) == 5
        assert await asyncio.gather(*callers) == [[True]] * 5
        await journal.close()
