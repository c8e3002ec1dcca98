import asyncio
from contextlib import suppress

from mwbatch.commands.context.context import Context
from mwbatch.core.api.create_request import Outcome
from mwbatch.core.facts.kinds import Verdict
from mwbatch.errors import ApiError, Busy, Unsent, Unsure
from tests.support.virtual import virtual


@virtual
async def test_sleep_takes_its_time() -> None:
    """Undisturbed, a sleep lasts as long as was asked for."""
    assert not await Context().sleep(60)
    assert asyncio.get_running_loop().time() == 60


@virtual
async def test_a_wish_to_stop_ends_a_sleep() -> None:
    """The user's wish to stop ends a sleep at once, and a sleep after it does not begin."""
    context, loop = Context(), asyncio.get_running_loop()
    loop.call_later(5, context.stopping.set)
    assert await context.sleep(60)
    assert await context.sleep(60)
    assert loop.time() == 5


def test_what_holds_up_rows_is_shown() -> None:
    """A missing connection and a wait that the API names are shown until it goes on;
    the pace that is sought is not.
    """
    context = Context(ticks=lambda: 100.0)
    context.held_up(Outcome(Verdict.BUSY), 2.0)
    assert context.tally.trouble == ""
    for outcome, told in (
        (Outcome(Verdict.UNSENT), "no connection"),
        (Outcome(Verdict.BUSY, retry_after=4.0), "the API asks to slow down"),
    ):
        context.held_up(outcome, 4.0)
        assert (context.tally.trouble, context.tally.until) == (told, 104.0)


def test_why_a_read_waits_is_shown() -> None:
    """Each kind of trouble has its words, and none when the waiting has an end."""
    context = Context(ticks=lambda: 100.0)
    told = []
    for error in (Unsent("x"), Busy("x", status=429), Unsure("x"), ApiError("x", status=503), None):
        context.waits(error, 4.0)
        told.append(context.tally.trouble)
    assert told == ["no connection", "the API asks to slow down", "no answer", "the API fails (HTTP 503)", ""]


def test_blocks_in_flight_are_counted() -> None:
    """However many blocks finish what is in flight, in the end none does, be it by an error."""
    context = Context()
    with context.in_flight(), suppress(ValueError), context.in_flight():
        assert context.finishing == 2
        raise ValueError
    assert context.finishing == 0
