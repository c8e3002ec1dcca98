"""Who wants to hear of what is stored: one call after the other, and no more waits than may."""

import asyncio

import pytest

from mwbatch.callbacks.common.subscriber import BEHIND, Subscriber
from mwbatch.callbacks.common.troubles import Troubles
from mwbatch.core.facts.kinds import Seen
from tests.support.facts import answer


def fact(row: int, size: int = 0) -> Seen:
    """An answer whose body has so many bytes."""
    return answer(1, row=row)._replace(body=b"x" * size or None)


async def test_one_is_told_at_a_time() -> None:
    """While a call is awaited the next fact waits for its end, and comes in its turn."""
    told, going = list[int](), asyncio.Event()

    async def listen(_: str, seen: Seen) -> None:
        told.append(seen.row)
        await going.wait()

    subscriber = Subscriber(listen, 100, 60.0, Troubles())
    for row in range(3):
        subscriber.tell("b", fact(row))
    await asyncio.sleep(0)
    assert told == [0]
    going.set()
    await subscriber.close()
    assert told == [0, 1, 2]


async def test_what_waits_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    """Bodies of facts that wait may take so many bytes and no more: what comes beyond is not told, which is
    said once; what was let in is told, and then there is room again.
    """
    told, going = list[int](), asyncio.Event()

    async def listen(_: str, seen: Seen) -> None:
        await going.wait()
        told.append(seen.row)

    subscriber = Subscriber(listen, 10, 60.0, Troubles())
    for row, size in enumerate((99, 6, 4, 0, 1, 1)):  # the first is being told
        subscriber.tell("b", fact(row, size))
    assert caplog.text.count(BEHIND) == 1
    going.set()
    await subscriber.close()
    assert told == [0, 1, 2, 3]
    going.clear()
    for row, size in ((6, 0), (7, 10)):
        subscriber.tell("b", fact(row, size))
    going.set()
    await subscriber.close()
    assert told[4:] == [6, 7]


async def test_who_does_not_end_in_time_is_ended(caplog: pytest.LogCaptureFixture) -> None:
    """At the end a call that goes on for too long is cancelled, and how much was not told is said."""
    ended = list[int]()

    async def listen(_: str, seen: Seen) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(seen.row)

    subscriber = Subscriber(listen, 100, 0.01, Troubles())
    for row in range(3):
        subscriber.tell("b", fact(row))
    await subscriber.close()
    assert ended == [0]
    assert "3 facts that are stored were not told" in caplog.text
