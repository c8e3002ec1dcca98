"""What time it is, as the API says it."""

import asyncio
from email.utils import parsedate_to_datetime

import aiohttp
import pytest

from mwbatch.simulator import Fault, Faults, Line, Size, World, create
from mwbatch.simulator.world.dates import USUAL
from mwbatch.simulator.world.faults import Form
from mwbatch.simulator.world.tasks import nested
from tests.unit.simulator.conftest import SLOW, Start, always, get, tag
from tests.unit.simulator.test_listing import Account
from tests.unit.simulator.test_world import NOON, SETTINGS, draft

FORMS = {
    Form.ZULU: "2017-04-14T12:00:01.500Z",
    Form.WHOLE: "2017-04-14T12:00:01Z",
    Form.FINE: "2017-04-14T12:00:01.500000000Z",
    Form.ZONED: "2017-04-14T14:00:01.500+02:00",
    Form.NAIVE: "2017-04-14T12:00:01.500",
    Form.BLANK: "2017-04-14 12:00:01",
    Form.SECONDS: 1_492_171_201,
    Form.MILLISECONDS: 1_492_171_201_500,
    Form.HTTP: "Fri, 14 Apr 2017 12:00:01 GMT",
    Form.DOTTED: "14.04.2017 12:00",
}


@pytest.mark.parametrize("form", Form)
def test_a_moment_has_many_forms(form: Form) -> None:
    """Each form writes the same moment."""
    world = World(always(SETTINGS, Fault.CREATED_AT_FORM, size=Size(created_at_form=form)), NOON)
    task = create(world, draft(), NOON + 1.5).tasks[0]
    assert nested(task)["created_at"] == FORMS[form]


def test_without_a_form_each_task_has_its_own() -> None:
    """Many tasks have every form, and a task always the same one."""
    world = World(always(SETTINGS, Fault.CREATED_AT_FORM), NOON)
    tasks = [create(world, draft(number), NOON).tasks[0] for number in range(99)]
    assert {task.dates.form for task in tasks} == set(Form)
    again = World(always(SETTINGS, Fault.CREATED_AT_FORM), NOON)
    assert create(again, draft(7), NOON + 9).tasks[0].dates == tasks[7].dates


@pytest.mark.parametrize("offset", [-7200.0, 7200.0])
def test_the_clock_of_tasks_may_be_apart(offset: float) -> None:
    """All dates of a task lie apart by the offset, and listings go by that clock; the ledger does not."""
    account = Account(Fault.CREATED_AT_APART, size=Size(created_at_offset_s=offset))
    hour = 12 + int(offset) // 3600
    task_id = account.create(1, NOON)
    assert account.ids(NOON + 1, start_time=f"2017-04-14T{hour}:00:00Z", end_time=f"2017-04-14T{hour}:00:00Z")
    assert not account.ids(NOON + 1, start_time="2017-04-14T12:00:00Z", end_time="2017-04-14T12:00:00Z")
    (doc,) = account.page(NOON + 50)["docs"]
    assert (doc["task_id"], doc["created_at"]) == (task_id, f"2017-04-14T{hour}:00:00.000Z")
    assert doc["completed_at"] == f"2017-04-14T{hour}:00:50.000Z"
    ((_, (entry,)),) = account.world.ledger()
    assert entry["created_at"] == "2017-04-14T12:00:00.000Z"


def test_the_clock_of_tasks_may_step() -> None:
    """A script lets the clock of tasks step between two requests."""
    faults = Faults(script=(Line(Fault.CREATED_AT_APART, 3, 4),))
    world = World(always(SETTINGS), NOON)
    world.settings = type(SETTINGS)(faults=faults)
    tasks = [create(world, draft(number), NOON).tasks[0] for number in range(5)]
    assert [task.listed_at - NOON for task in tasks] == [0, 0, 7200, 7200, 0]


def test_local_time_is_shown_and_not_gone_by() -> None:
    """A task is shown in local time without a zone, and listed by UTC."""
    account = Account(Fault.CREATED_AT_LOCAL)
    task_id = account.create(1, NOON)
    assert account.ids(NOON, end_time="2017-04-14T12:00:00Z") == [task_id]
    assert account.page(NOON)["docs"][0]["created_at"] == "2017-04-14T14:00:00.000"


async def test_the_date_header_is_right(start: Start, session: aiohttp.ClientSession) -> None:
    """Without faults every answer carries the time of the simulator's clock."""
    simulator = await start(SLOW)
    async with session.get(f"{simulator.url}/v1/tasks") as answer:
        date = parsedate_to_datetime(answer.headers["Date"]).timestamp()
    async with asyncio.timeout(5), session.get(f"{simulator.url}/v1/task/none") as refused:
        assert (refused.status, "Date" in refused.headers) == (404, True)
    made = await tag(session, simulator, "http://127.0.0.1:9/a")
    assert abs(simulator.world.get(made["task_id"], 0).born_at - date) < 5


async def test_the_date_header_may_be_apart_or_missing(start: Start, session: aiohttp.ClientSession) -> None:
    """A script lets the header of the first answer be ahead and leaves it out of the second."""
    script = (Line(Fault.DATE_APART, 1, 1), Line(Fault.NO_DATE, 2, 2))
    simulator = await start(type(SLOW)(port=0, faults=Faults(script=script)))
    dates = []
    for _ in range(3):
        async with session.get(f"{simulator.url}/v1/tasks") as answer:
            dates.append(answer.headers.get("Date", ""))
    ahead, missing, right = dates
    assert missing == ""
    assert 7190 < (parsedate_to_datetime(ahead) - parsedate_to_datetime(right)).total_seconds() <= 7200
    assert (await get(session, simulator, "/_sim/stats"))["answers"] == 3


def test_the_usual_dates_are_the_moments_themselves() -> None:
    """Where nothing is said of dates they are in UTC, by the one clock that there is."""
    assert USUAL.say(0.0) == "1970-01-01T00:00:00.000Z"
