"""The listing: pages in either dialect, and every task once."""

import asyncio
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.client import Client
from mwbatch.client.transport.wire import WireResponse
from mwbatch.core.api.walk import MAX_IDLE_PAGES, REPEATS
from mwbatch.core.codec.json_codec import Json
from mwbatch.core.words.values import LONGEST_WALK
from mwbatch.errors import Halted, Unsure
from tests.support.virtual import virtual
from tests.unit.client.conftest import KEY, FakeWire, answer


def docs(*names: str, **fields: str) -> list[dict[str, str]]:
    return [{"task_id": name, **fields} for name in names]


def listing(*plays: object) -> tuple[Client, FakeWire]:
    wire = FakeWire(*(play if isinstance(play, WireResponse) else answer(play) for play in plays))
    return Client(KEY, wire=wire, tries=1), wire


async def test_a_page_says_all_that_the_api_said() -> None:
    """Tasks, their JSON, counts and the server's clock are on the page."""
    body = {"docs": docs("a", "b"), "total": 7, "limit": 20, "offset": 4, "has_more": True}
    api, _ = listing(answer(body, Date="now"))
    page = await api.list_page(offset=5)
    assert [task.task_id for task in page.tasks] == ["a", "b"]
    assert page.docs == tuple(docs("a", "b"))
    assert (page.total, page.limit, page.offset, page.has_more, page.clock) == (7, 20, 4, True, "now")


@pytest.mark.parametrize(
    "body",
    [
        docs("a"),
        {"docs": docs("a")},
        {"docs": docs("a"), "total": "7", "has_more": "no", "limit": None, "offset": True},
    ],
)
async def test_a_page_may_say_less(body: Json) -> None:
    """A bare array, or counts of a wrong type: what the API does not say is None or what was asked."""
    api, _ = listing(body)
    page = await api.list_page(limit=10, offset=30)
    assert (len(page.tasks), page.total, page.has_more) == (1, None, None)
    assert (page.limit, page.offset, page.clock) == (10, 30, None)


async def test_nothing_is_said_too() -> None:
    """No tasks, the first of them and no more: a zero and a no are taken as they stand,
    but for a limit of nothing.
    """
    for name in ("has_more", "hasMore"):
        api, _ = listing({"docs": [], "total": 0, "limit": 0, "offset": 0, name: False})
        page = await api.list_page(limit=10, offset=30)
        assert (page.total, page.limit, page.offset, page.has_more) == (0, 10, 0, False)


async def test_filters_are_sent_as_documented() -> None:
    """Times go out as ISO 8601, type stays here, and what was not asked is not sent."""
    api, wire = listing([])
    await api.list_page(
        start_time=datetime(2017, 4, 14, tzinfo=UTC), end_time="x", status="pending", type="tagging"
    )
    await api.list_page(limit=20, offset=40, fresh=True)
    times = {"start_time": "2017-04-14T00:00:00.000Z", "end_time": "x"}
    assert wire.params[0] == {**times, "status": "pending", "limit": "100", "offset": "0"}
    assert wire.params[1] == {"limit": "20", "offset": "40"}
    assert (wire.fresh, wire.sent[0]) == ([False, True], ("GET", "/v1/tasks"))


async def test_entries_that_are_no_tasks_are_counted() -> None:
    """An entry that cannot be read never hides: tasks and docs stay side by side, and it is counted."""
    api, _ = listing([*docs("a", type="tagging"), None, {"no": "id"}, *docs("b", type="annotating")])
    page = await api.list_page(type="annotating")
    assert (page.received, page.unreadable) == (4, 2)
    assert ([task.task_id for task in page.tasks], page.docs) == (["b"], tuple(docs("b", type="annotating")))


@pytest.mark.parametrize(
    ("play", "error"), [({"docs": 5}, Unsure), ("x", Unsure), (answer(None, 404), Halted)]
)
async def test_what_is_no_listing_is_an_error(play: Json, error: type[Exception]) -> None:
    """A listing that cannot be read is not an empty one."""
    api, _ = listing(play)
    with pytest.raises(error):
        await api.list_page()


@given(st.integers(0, 7), st.integers(1, 4), st.sampled_from(["has_more", "hasMore", "bare"]))
async def test_every_task_comes_once(count: int, size: int, dialect: str) -> None:
    """Whatever the page size and dialect, iterating shows every task exactly once, in order."""
    names = [f"t{n}" for n in range(count)]
    pages = [docs(*names[at : at + size]) for at in range(0, count + size, size)]
    bodies = (
        pages
        if dialect == "bare"
        else [{"docs": page, dialect: (at + 1) * size < count} for at, page in enumerate(pages)]
    )
    api, _ = listing(*bodies, [])
    assert [task.task_id async for task in api.tasks()] == names


async def test_a_task_that_slid_onto_the_next_page_comes_once() -> None:
    """Tasks created while we page push the last ones of a page onto the next."""
    api, wire = listing(docs("c", "b"), docs("b", "a"), [])
    assert [task.task_id async for task in api.tasks(type=None)] == ["c", "b", "a"]
    assert [params["offset"] for params in wire.params] == ["0", "2", "4"]


async def test_a_page_of_other_types_is_not_the_end() -> None:
    """Filtering on our side empties pages, not the listing."""
    api, _ = listing(docs("a", type="annotating"), docs("b", type="tagging"), [])
    assert [task.task_id async for task in api.tasks(type="tagging")] == ["b"]


async def test_a_listing_that_never_ends_is_left() -> None:
    """Where the offset is ignored and there is always more,
    a few pages that bring nothing new end the walk.
    """
    pages = [{"docs": docs(*names), "has_more": True} for names in (("a", "b"), ("c", "a"), ("c", "a"))]
    api, wire = listing(*pages)
    why: list[str] = []
    assert [task.task_id async for task in api.tasks(tell=why.append)] == ["a", "b", "c"]
    assert (len(wire.sent), why) == (2 + MAX_IDLE_PAGES, [REPEATS])


async def test_a_listing_that_goes_in_a_circle_is_left() -> None:
    """Where a few pages come again and again, each in its turn, every task is shown once,
    and the walk ends.
    """
    circle = [{"docs": docs(*names), "has_more": True} for names in ("ab", "cd", "ef")]
    api, wire = listing(*circle * 30)
    assert [task.task_id async for task in api.tasks()] == [*"abcdef"]
    assert len(wire.sent) == 3 + MAX_IDLE_PAGES


async def test_pages_of_other_types_hide_nothing() -> None:
    """However many pages of other types come first, they bring something new:
    the walk goes on to the type that is asked for.
    """
    others = [docs(f"a{n}", type="annotating") for n in range(2 * MAX_IDLE_PAGES)]
    api, _ = listing(*others, docs("b", type="tagging"), [])
    assert [task.task_id async for task in api.tasks(type="tagging")] == ["b"]


class Endless(FakeWire):
    """An API whose listing brings something new on each page, for ever;
    a page takes a quarter of what a walk may take.
    """

    async def send(self, *_: object, **__: object) -> WireResponse:
        """One more page."""
        await asyncio.sleep(LONGEST_WALK / 4)
        self.sent.append(("GET", "/v1/tasks"))
        return answer({"docs": docs(f"t{len(self.sent)}"), "has_more": True})


@virtual
async def test_a_listing_that_always_has_something_new_is_left() -> None:
    """An account that brings new tasks for ever is walked through until the deadline, and no longer."""
    began = asyncio.get_running_loop().time()
    found = Client(KEY, wire=Endless(), tries=1).tasks()
    assert [task.task_id async for task in found] == ["t1", "t2", "t3", "t4"]
    assert asyncio.get_running_loop().time() - began == LONGEST_WALK
