"""Reads are tried again; what cannot get better is not."""

import pytest

from mwbatch.client.retry import LONGEST_ASKED, again, untaken
from mwbatch.errors import ApiError, Busy, Halted, NotFound, Refused, Unsent, Unsure


class Flaky:
    """Fails with each error in turn, then succeeds; notes how long it was waited."""

    def __init__(self, *errors: Exception) -> None:
        self.errors, self.calls, self.waits = list(errors), 0, list[float]()

    async def call(self) -> str:
        """Fail, or succeed."""
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"

    async def sleep(self, seconds: float) -> None:
        """Note the wait."""
        self.waits.append(seconds)


@pytest.mark.parametrize(
    "error",
    [Unsure("x"), Unsent("x"), Busy("x", status=429), ApiError("x", status=500), ApiError("x", status=503)],
)
async def test_passing_trouble_is_tried_again(error: ApiError) -> None:
    """A read that failed for a reason that passes is sent again."""
    flaky = Flaky(error, error)
    assert await again(flaky.call, sleep=flaky.sleep) == "done"
    assert (flaky.calls, len(flaky.waits)) == (3, 2)


@pytest.mark.parametrize(
    "error",
    [
        Refused("x", status=400),
        Halted("x", status=401),
        NotFound("x", status=404),
        ApiError("x"),
        KeyError("x"),
    ],
)
async def test_lasting_trouble_is_raised_at_once(error: Exception) -> None:
    """What will not get better is raised at the first try."""
    flaky = Flaky(error)
    with pytest.raises(type(error)):
        await again(flaky.call, sleep=flaky.sleep)
    assert (flaky.calls, flaky.waits) == (1, [])


async def test_tries_are_bounded() -> None:
    """The last error is raised as it came, after exactly as many tries as were allowed."""
    last = Unsure("third")
    flaky = Flaky(Unsure("first"), Unsure("second"), last)
    with pytest.raises(Unsure) as raised:
        await again(flaky.call, tries=3, sleep=flaky.sleep)
    assert (raised.value, flaky.calls) == (last, 3)


async def test_trouble_may_change_its_kind() -> None:
    """Lasting trouble after passing trouble ends the tries."""
    flaky = Flaky(Unsure("x"), NotFound("x", status=404))
    with pytest.raises(NotFound):
        await again(flaky.call, sleep=flaky.sleep)
    assert flaky.calls == 2


async def test_one_try_is_bare() -> None:
    """With a single try nothing is waited for."""
    flaky = Flaky(Unsure("x"))
    with pytest.raises(Unsure):
        await again(flaky.call, tries=1, sleep=flaky.sleep)
    assert (flaky.calls, flaky.waits) == (1, [])


async def test_waits_grow_to_a_bound() -> None:
    """Waits grow, and none is longer than the bound."""
    flaky = Flaky(*[Unsure("x")] * 7)
    await again(flaky.call, tries=9, wait_max=8.0, sleep=flaky.sleep)
    assert 1.0 <= flaky.waits[0] <= 2.0 <= flaky.waits[1] <= 3.0
    assert flaky.waits[-2:] == [8.0, 8.0]


async def test_the_api_may_ask_for_longer() -> None:
    """Retry-After is obeyed even beyond our own bound, and counts for one wait only."""
    flaky = Flaky(Busy("x", status=429, retry_after=60.0), Unsure("x"))
    await again(flaky.call, wait_max=5.0, sleep=flaky.sleep)
    assert flaky.waits[0] == 60.0
    assert flaky.waits[1] <= 5.0


async def test_nobody_waits_for_an_hour_in_silence() -> None:
    """A Retry-After beyond all patience is raised, with the number."""
    flaky = Flaky(Busy("x", status=429, retry_after=LONGEST_ASKED + 1))
    with pytest.raises(Busy) as raised:
        await again(flaky.call, sleep=flaky.sleep)
    assert raised.value.retry_after == LONGEST_ASKED + 1


@pytest.mark.parametrize(
    ("error", "safe"),
    [
        (Unsent("x"), True),
        (Busy("x", status=429), True),
        (Unsure("x"), False),
        (ApiError("x", status=500), False),
    ],
)
def test_only_what_had_no_effect_may_be_posted_again(error: ApiError, safe: bool) -> None:
    """A POST is repeated only where the first one certainly did nothing."""
    assert untaken(error) is safe


async def test_who_asks_to_stop_waits_for_no_other_try() -> None:
    """Where the user asks to stop while a read waits, it is not sent again, and its last error is raised."""
    flaky = Flaky(Unsure("first"), Unsure("second"), Unsure("third"))
    naps = iter([False, True])

    async def nap(_: float) -> bool:
        return next(naps)

    with pytest.raises(Unsure, match="second"):
        await again(flaky.call, sleep=nap)
    assert flaky.calls == 2
