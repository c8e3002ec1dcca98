"""What comes before the first request: limits, the question, the callback base."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from mwbatch.commands.context.callback_base import checked_base
from mwbatch.commands.verbs.submit import resume, submit
from mwbatch.core.facts.kinds import Fact, Planned
from mwbatch.core.report.command_outcomes import Created
from mwbatch.core.report.next_steps import next_steps
from mwbatch.core.spending.budget import Limits
from mwbatch.errors import Exit, Unsure, UsageError
from mwbatch.journal.keys.home_keys import keys_of
from mwbatch.simulator import Fault, Line
from tests.support.facts import fail, retry, show, start
from tests.support.virtual import virtual
from tests.unit.commands.conftest import LATENCY, Stage, silent
from tests.unit.commands.sending.test_sending import place


async def sent(stage: Stage, count: int, **options: Any) -> Created:
    """Submit a manifest of so many rows."""
    return await submit(
        stage.home, stage.client, stage.manifest(*range(count)), silent(**options), stage.context
    )


@virtual
async def test_limits_hold_over_all_runs(stage: Stage) -> None:
    """A limit counts every task that the batch ever had, stays with the batch,
    and ends the run unfinished.
    """
    created = await sent(stage, 10, limits=Limits(max_tasks=4))
    assert (created.exit, stage.tasks) == (Exit.UNFINISHED, 4)
    assert "4 tasks so far (--max-tasks); 6 rows not sent" in created.ending.reason
    assert (await sent(stage, 10)).exit is Exit.UNFINISHED
    assert stage.tasks == 4
    raised = silent(limits=Limits(price=0.1, max_tasks=9, max_cost=0.7))
    await resume(stage.home, stage.client, "logos", raised, stage.context)
    assert stage.tasks == 7


@pytest.mark.parametrize(("first", "then", "kept"), [(3, 200, 3), (None, 150, 150), (200, 150, 150)])
@virtual
async def test_a_no_raises_no_limit(stage: Stage, first: int | None, then: int, kept: int) -> None:
    """A limit that was to be raised by a run that the user declined stays, and one that he lowered holds."""
    await sent(stage, 2, limits=Limits(max_tasks=first))
    with pytest.raises(UsageError, match=r"stay planned: mwbatch resume logos asks again$"):
        await sent(stage, 302, limits=Limits(max_tasks=then), confirm=lambda _: False)
    assert (stage.home.find("logos").info.limits.max_tasks, stage.tasks) == (kept, 2)


@pytest.mark.parametrize(
    "limits",
    [Limits(max_tasks=4), Limits(price=0.08, max_cost=0.33), Limits(max_tasks=4, price=1, max_cost=4)],
)
@virtual
async def test_the_next_step_does_not_meet_the_limit_again(stage: Stage, limits: Limits) -> None:
    """A run that its limit ended says how to raise it: as printed, that sends every row that is left."""
    created = await sent(stage, 10, limits=limits)
    step = next(next_steps(created.report)).partition("    # ")[0].split()
    assert step[:3] == ["mwbatch", "resume", "logos"]
    named = dict(zip(step[3::2], map(float, step[4::2]), strict=True))
    most = int(named["--max-tasks"]) if "--max-tasks" in named else None
    raised = silent(limits=Limits(max_tasks=most, max_cost=named.get("--max-cost")))
    done = await resume(stage.home, stage.client, "logos", raised, stage.context)
    assert (done.exit, stage.tasks) == (Exit.DONE, 10)


@virtual
async def test_people_see_how_many_of_how_many(stage: Stage) -> None:
    """From the first request to the last, over all rounds, the rows that were created are counted, of those
    that may be.
    """
    seen, tally = list[tuple[int, int]](), stage.context.tally
    stage.wire.on_create = lambda _: seen.append((tally.done, tally.total))
    await sent(stage, 5, concurrency=1, limits=Limits(max_tasks=4))
    assert seen == [(0, 4), (1, 4), (2, 4), (3, 4)]


@virtual
async def test_rows_wait_for_one_that_is_found(stage: Stage) -> None:
    """When the first row that is sent again falls into doubt and is found,
    those that waited for it are sent.
    """
    stage.befall(Line(Fault.NOT_CREATED_500, 2, 4), Line(Fault.CREATED_500, 5, 5))
    created = await sent(stage, 4)
    assert (created.exit, stage.tasks) == (Exit.DONE, 4)


@virtual
async def test_what_was_found_out_is_told(stage: Stage) -> None:
    """People read how many rows in doubt have a task and how many have none; of a run in which all went well
    there is nothing to tell.
    """
    created = await sent(stage, 2)
    assert (created.exit, created.reasons) == (Exit.DONE, ())
    assert not any("in doubt" in note for note in stage.context.tally.notes)
    stage.befall(Line(Fault.NOT_CREATED_500, 3, 4), Line(Fault.CREATED_500, 5, 5))
    created = await sent(stage, 6)
    assert (created.exit, created.reasons, stage.tasks) == (Exit.DONE, (), 6)
    assert "1 row in doubt have a task, 2 rows have none" in stage.context.tally.notes


@virtual
async def test_who_stops_the_settling_is_told(stage: Stage) -> None:
    """A run that was interrupted says so to scripts and people, wherever that was:
    here nothing was left to send.
    """
    stage.befall(Line(Fault.NOT_CREATED_500, 2, 4))
    asyncio.get_running_loop().call_later(60, stage.context.stopping.set)
    created = await sent(stage, 4)
    assert (created.exit, created.ending.reason) == (Exit.UNFINISHED, "interrupted")
    assert stage.statuses() == {"pending": 1, "doubt": 3}


@virtual
async def test_the_first_row_that_is_sent_again_goes_alone(stage: Stage) -> None:
    """Unless it was created no second row of that round leaves:
    the others wait until doubt is settled again.
    """
    stage.befall(Line(Fault.NOT_CREATED_500, 2, 5))  # three rows, and the first of them again
    created = await sent(stage, 4)
    assert (created.exit, stage.tasks) == (Exit.DONE, 4)
    first, *_ = again = stage.wire.left_at[4:]
    assert len(again) == 4
    assert all(left >= first + 150 for left in again[1:])


@virtual
async def test_once_belied_only_what_the_user_opens_leaves(stage: Stage) -> None:
    """A row whose last attempt is the one that the user opened is not sent again by itself;
    a newly opened one is.
    """
    batch = await stage.opened(3)
    refuted: list[Fact] = [start(1), fail(1), show(1, task="late")]
    spent: list[Fact] = [
        start(1, ((1, 2),)),
        fail(1, row=1),
        retry(2, 1),
        start(2, ((1, 2),)),
        fail(2, row=1),
    ]
    fresh: list[Fact] = [start(1, ((2, 3),)), fail(1, row=2), retry(2, 2)]
    await batch.record([*refuted, *spent, *fresh])
    batch.keep(echo={"tagging": True}, kids=(keys_of(stage.home).newest.kid,))
    await batch.journal.close()
    created = await resume(stage.home, stage.client, "logos", silent(), stage.context)
    sent_rows = [address.rsplit("/", 2)[1] for address in stage.wire.creates]
    assert (created.exit, sent_rows) == (Exit.UNFINISHED, ["2-2"])


@virtual
async def test_many_tasks_are_asked_for(stage: Stage) -> None:
    """Above a hundred tasks the user is told what they are and asked, with the price; a no sends nothing."""
    questions: list[str] = []

    def no(question: str) -> bool:
        questions.append(question)
        return False

    with pytest.raises(UsageError, match="nothing was sent"):
        await sent(stage, 101, confirm=no, limits=Limits(price=0.08))
    assert questions == ["create 101 tasks at http://127.0.0.1:8900, for about 8.08?"]
    assert "101 tagging, 0 annotating" in stage.context.tally.notes
    assert (stage.wire.creates, stage.statuses()) == ([], {"planned": 101})


@virtual
async def test_a_question_names_the_limit(stage: Stage) -> None:
    """Who is asked reads what was spent, what may be, by which option, and how many rows are held back."""
    questions: list[str] = []
    limits = Limits(max_tasks=150, price=0.1, max_cost=99)

    def yes(question: str) -> bool:
        questions.append(question)
        return True

    await sent(stage, 200, confirm=yes, limits=limits)
    assert questions[0].splitlines() == [
        "0 of at most 150 tasks so far (--max-tasks), 0.00 of at most 99.00 (--max-cost)",
        "create 150 of 200 tasks at http://127.0.0.1:8900, for about 15.00?",
    ]


@virtual
async def test_the_end_names_the_limit(stage: Stage) -> None:
    """A run that a limit ended says which, and its report stands for what is spent, by month too,
    beside the limits.
    """
    created = await sent(stage, 3, limits=Limits(max_tasks=2, price=0.1))
    assert created.ending.reason == (
        "the limit is reached: 2 of at most 2 tasks so far (--max-tasks), about 0.20; 1 row not sent"
    )
    shown = created.report.json()
    assert shown["limits"] == {"max_tasks": 2, "price": 0.1, "max_cost": None}
    assert shown["spent"] == {"tasks": 2, "cost": 0.2, "by_month": {"2023-11": {"tasks": 2, "cost": 0.2}}}


@virtual
async def test_a_hundred_tasks_are_not_asked_for(stage: Stage) -> None:
    """Up to a hundred tasks nobody is asked."""
    assert (await sent(stage, 100, confirm=lambda _: False)).exit is Exit.DONE


@virtual
async def test_a_receiver_that_is_not_there_is_told(stage: Stage) -> None:
    """Where nobody answers at the callback base people are told, and the tasks are created all the same."""
    await sent(stage, 1, callback_url="http://127.0.0.1:9/hooks/")
    assert any(
        "no receiver answers at http://127.0.0.1:9/hooks (" in note for note in stage.context.tally.notes
    )
    assert stage.wire.creates[0].startswith("http://127.0.0.1:9/hooks/callbacks/v1/")


def test_bases() -> None:
    """A base may carry a path and loses its last slash."""
    assert checked_base("https://calls.test/a/") == "https://calls.test/a"
    assert checked_base("http://127.0.0.1:8080") == "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("calls.test", "must begin with http:// or https://"),
        ("ftp://calls.test", "must begin with http:// or https://"),
        ("https:///path", "name a host"),
        ("https://calls.test/?a=b", "no query"),
        ("https://calls.test/#a", "fragment"),
        ("https://me:secret@calls.test/", "password"),
        ("https://:secret@calls.test/", "password"),
        ("ftp://me:secret@calls.test", "must begin with"),
        ("http://me:secret@calls.test:99999", "is no URL"),
        ("http://me:secret@[", "is no URL"),
        ("http://xn--/", "name a host"),
        ("http://xn--a.test", "name a host"),
        ("http://a..b", "name a host"),
        (f"http://{'a' * 64}.test", "name a host"),
        (f"http://{'a.' * 127}test", "name a host"),
        ("http://calls.test:port/", "is no URL"),
    ],
)
def test_no_bases(url: str, said: str) -> None:
    """What cannot be a callback base is refused with the reason,
    and without the password that stands in it.
    """
    with pytest.raises(UsageError, match=said) as raised:
        checked_base(url)
    assert "secret" not in str(raised.value)


@virtual
async def test_who_is_sent_again_waits_for_the_first(stage: Stage) -> None:
    """Of rows whose requests made no task the first goes alone; once it was created,
    all others go together.
    """
    stage.wire.plays = [None, *[Unsure("cut")] * 6]
    created = await sent(stage, 20, concurrency=4)
    assert (created.exit, stage.statuses()) == (Exit.DONE, {"pending": 20})
    again = stage.wire.left_at[-6:]
    assert again[1] - again[0] > 0.9 * LATENCY
    assert again[5] - again[1] < 4 * LATENCY  # not one by one
    assert [place(url)[1] for url in stage.wire.creates] == [1] * 20 + [2] * 6


@virtual
async def test_a_batch_with_nothing_to_send_is_not_read(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where every row has its task, none is read to be sent, however many there are."""
    await sent(stage, 3)
    kind, read = type((await stage.opened()).journal), list[object]()

    def rows(_: object, *asked: object) -> Iterator[Planned]:
        read.append(asked)
        return iter(())

    monkeypatch.setattr(kind, "rows", rows)
    await resume(stage.home, stage.client, "logos", silent(), stage.context)
    assert read == []
