"""Listings, and what can be wrong with them."""

from dataclasses import replace
from typing import Any

import pytest

from mwbatch.simulator import Fault, Listings, Settings, Size, World, create, read_query, retrieve
from tests.unit.simulator.conftest import always
from tests.unit.simulator.test_world import NOON, draft

SLOW = Settings(complete_after=(50.0, 50.0))


class Account:
    """A world, and its listing at a moment."""

    def __init__(self, *faults: Fault, size: Size | None = None, settings: Settings = SLOW) -> None:
        self.world = World(always(settings, *faults, size=size), NOON)
        self.listings = Listings(self.world)

    def create(self, number: int, now: float) -> str:
        """Create a task and give its id."""
        return create(self.world, draft(number), now).tasks[0].task_id

    def page(self, now: float, cache_control: str = "", **query: str) -> Any:
        """List at ``now``."""
        return self.listings.answer(read_query(query, cache_control), self.listings.befalls(), now)

    def ids(self, now: float, **query: str) -> list[str]:
        """List at ``now`` and give the ids."""
        return [doc["task_id"] for doc in self.page(now, **query)["docs"]]


def test_times_are_inclusive_to_the_millisecond() -> None:
    """A task is found by start and end times equal to its created_at."""
    account = Account()
    task_id = account.create(1, NOON + 0.123)
    created_at = account.page(NOON + 1)["docs"][0]["created_at"]
    assert created_at == "2017-04-14T12:00:00.123Z"
    assert account.ids(NOON + 1, start_time=created_at, end_time=created_at) == [task_id]
    assert not account.ids(NOON + 1, start_time="2017-04-14T12:00:00.1231Z")
    assert not account.ids(NOON + 1, end_time="2017-04-14T12:00:00.1229Z")


def test_status_and_type_filter() -> None:
    """Only tasks of the asked status and type are shown and counted."""
    account = Account()
    canceled, pending = account.create(1, NOON), account.create(2, NOON + 1)
    account.world.cancel(canceled, NOON + 2)
    assert account.ids(NOON + 3, status="canceled") == [canceled]
    assert account.ids(NOON + 3, status="pending", type="tagging") == [pending]
    assert account.page(NOON + 3, type="annotating")["total"] == 0


def test_pages_say_whether_there_is_more() -> None:
    """has_more is true until the last page."""
    account = Account()
    for number in range(3):
        account.create(number, NOON)
    pages = [account.page(NOON, limit="2", offset=offset) for offset in ("0", "2", "4")]
    assert [(len(page["docs"]), page["total"], page["has_more"]) for page in pages] == [
        (2, 3, True),
        (1, 3, False),
        (0, 3, False),
    ]


def test_a_lagging_listing_shows_a_task_later() -> None:
    """A task shows up in a lagging listing only after the lag."""
    account = Account(Fault.LIST_LAG, size=Size(list_lag_s=5))
    task_id = account.create(1, NOON)
    assert account.ids(NOON + 4.9) == []
    assert account.ids(NOON + 5) == [task_id]


def test_a_stale_listing_is_the_same_again() -> None:
    """A stale listing goes on showing what there was, statuses included, for a while."""
    account = Account(Fault.LIST_STALE, size=Size(list_stale_s=60))
    account.create(1, NOON)
    first = account.page(NOON + 1)
    account.create(2, NOON + 2)
    assert account.page(NOON + 60) == first
    assert account.page(NOON + 61)["total"] == 2


def test_a_capped_total_lies() -> None:
    """A capped total is less than what the pages show."""
    account = Account(Fault.LIST_TOTAL_CAPPED, size=Size(list_total=2))
    for number in range(3):
        account.create(number, NOON)
    page = account.page(NOON)
    assert (page["total"], len(page["docs"])) == (2, 3)


@pytest.mark.parametrize(
    "account",
    [Account(Fault.LIST_LIMIT_CLAMPED), Account(settings=replace(SLOW, max_page=20))],
    ids=["fault", "set"],
)
def test_a_clamped_limit_shows_fewer(account: Account) -> None:
    """A clamped page holds 20 tasks, says so, and has more."""
    for number in range(25):
        account.create(number, NOON)
    page = account.page(NOON, limit="100")
    assert (len(page["docs"]), page["limit"], page["has_more"]) == (20, 20, True)


def test_strangers_push_pages_along() -> None:
    """Tasks created while listing move every page by as many."""
    account = Account(Fault.LIST_STRANGERS)
    own = account.create(1, NOON)
    assert account.ids(NOON + 1)[-1] == own
    assert len(account.ids(NOON + 2)) == 3


def test_strangers_call_nobody() -> None:
    """Strangers' tasks lie in the hour before, and are neither completed nor called back."""
    account = Account(settings=replace(SLOW, strangers=10))
    docs = account.page(NOON)["docs"]
    assert len({doc["created_at"] for doc in docs}) == 10
    assert account.world.next_event_at() is None


def test_ties_share_an_instant() -> None:
    """With coarse times, tasks of one grain have the same created_at and are never in the future."""
    account = Account(Fault.CREATED_AT_TIES, size=Size(created_at_grain_s=10))
    for number in range(4):
        account.create(number, NOON + 2 * number + 1)
    assert {doc["created_at"] for doc in account.page(NOON + 9)["docs"]} == {"2017-04-14T12:00:00.000Z"}


def test_no_echo_hides_the_address() -> None:
    """A task without echo shows its callback_url nowhere."""
    account = Account(Fault.NO_ECHO)
    account.create(1, NOON)
    assert "callback_url" not in account.page(NOON)["docs"][0]


def test_a_listing_that_ignores_the_offset_never_ends() -> None:
    """Whatever the offset, the first page is shown, and there is said to be more."""
    account = Account(Fault.LIST_OFFSET_IGNORED)
    for number in range(3):
        account.create(number, NOON)
    pages = [account.page(NOON, limit="2", offset=offset) for offset in ("0", "2", "400")]
    assert [page["docs"] for page in pages] == [pages[0]["docs"]] * 3
    assert [(page["total"], page["has_more"]) for page in pages] == [(3, True)] * 3


def test_a_cache_answers_whatever_the_times() -> None:
    """A page is kept by limit and offset until it is asked for with no-cache, or its time is over."""
    account = Account(Fault.LIST_CACHED, size=Size(list_cached_s=60))
    account.create(1, NOON)
    kept = account.page(NOON + 1, end_time="2017-04-14T12:00:01Z")
    account.create(2, NOON + 2)
    assert account.page(NOON + 3, end_time="2017-04-14T12:00:03Z") == kept
    assert account.page(NOON + 3, offset="1")["total"] == 2
    assert account.page(NOON + 4, "no-cache")["total"] == 2
    account.create(3, NOON + 5)
    assert account.page(NOON + 63)["total"] == 2
    assert account.page(NOON + 64)["total"] == 3


@pytest.mark.parametrize("fault", [Fault.LISTED_OTHERWISE, Fault.LIST_ABRIDGED])
def test_a_listing_may_contradict_an_answer(fault: Fault) -> None:
    """A listed answer is another one than retrieve gives: of single tasks,
    or of all that have tags to leave out.
    """
    account = Account(fault)
    ids = [account.create(number, NOON) for number in range(20)]
    listed = {doc["task_id"]: doc["response"]["tags"] for doc in account.page(NOON + 50)["docs"]}
    given = {one: retrieve(account.world, one, NOON + 50)["response"]["tags"] for one in ids}
    differ = [one for one in ids if listed[one] != given[one]]
    assert len(differ) == 20 if fault is Fault.LISTED_OTHERWISE else len(differ) > 10


def test_an_altered_echo_shows_another_address() -> None:
    """A task is shown at an address that differs from its own in the last character."""
    account = Account(Fault.ECHO_ALTERED)
    account.create(7, NOON)
    assert account.page(NOON)["docs"][0]["callback_url"] == "http://a.invalid/0"
    assert next(account.world.tasks()).draft.callback_url == "http://a.invalid/7"


@pytest.mark.parametrize(
    "account",
    [Account(Fault.LIST_BARE), Account(settings=replace(SLOW, dialect="later"))],
    ids=["fault", "dialect"],
)
def test_the_later_dialect_is_a_bare_array(account: Account) -> None:
    """The later dialect lists an array of camelCase tasks whose state is `finished`."""
    account.create(1, NOON)
    (doc,) = account.page(NOON + 50)
    assert doc["state"] == "finished"
    assert {"taskId", "createdAt", "callbackUrl", "completedAt", "type", "params", "response"} <= set(doc)
    assert set(doc["params"]) == {"objectsToTag", "imageUrl"}
    assert account.page(NOON + 50, status="finished")
