"""What a listener says of connections: of strangers nothing, and never what they sent."""

import pytest

from mwbatch.callbacks.common.counts import Counts
from mwbatch.callbacks.net.listener import _quiet


@pytest.mark.parametrize(
    ("error", "said"),
    [(ValueError("secret"), "connection ended by ValueError"), (ConnectionResetError("secret"), "")],
)
def test_a_bug_is_logged_and_a_stranger_is_not(
    error: Exception, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An error of our own is named by its kind; what strangers can cause as often as they like is not; and
    what was being read never shows.
    """
    _quiet(Counts()).error("cannot handle %s", "secret", exc_info=error)
    assert caplog.messages == ([said] if said else [])
    assert "secret" not in caplog.text
