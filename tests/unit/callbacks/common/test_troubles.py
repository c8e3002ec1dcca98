"""Batches that cannot be used: when they are tried again, and what is said of them."""

import pytest

from mwbatch.callbacks.common.troubles import Troubles
from mwbatch.callbacks.common.unusable_batches import FIRST, MOST, UnusableBatches
from mwbatch.errors import StoreError

FOLDER = "/home/bad"
WHY = StoreError("why")


def test_reading_is_tried_ever_more_seldom(caplog: pytest.LogCaptureFixture) -> None:
    """A batch that cannot be read is tried after two seconds, then four, up to a minute,
    and is one line until it can be.
    """
    aside, now, pauses = UnusableBatches(Troubles()), 0.0, []
    for _ in range(8):
        assert aside.is_due(FOLDER, now)
        aside.unread(FOLDER, WHY, now)
        aside.seen({}, [FOLDER])
        began = now
        while not aside.is_due(FOLDER, now):
            now += 1.0
        pauses.append(now - began)
    assert pauses == [FIRST, 4.0, 8.0, 16.0, 32.0, MOST, MOST, MOST]
    assert len(aside) == 1
    aside.back(FOLDER)
    aside.back(FOLDER)
    assert (len(aside), aside.is_due(FOLDER, now)) == (0, True)
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


def test_what_a_look_shows(caplog: pytest.LogCaptureFixture) -> None:
    """What a look finds bad is set aside until one does not;
    what is gone altogether is set aside no longer.
    """
    aside, other = UnusableBatches(Troubles()), "/home/other"
    for _ in range(3):
        aside.seen({FOLDER: WHY}, [other])
    aside.unread(other, WHY, 0.0)
    assert len(aside) == 2
    assert aside.is_due(FOLDER, 0.0)
    aside.seen({}, [FOLDER, other])
    assert len(aside) == 1
    aside.seen({}, [FOLDER])
    assert len(aside) == 0
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR", "WARNING", "WARNING"]
