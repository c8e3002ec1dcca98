"""How fast creates may come before they are answered 429."""


class Throttle:
    """A bucket that fills at ``rate`` a second, up to one second's worth; None never runs dry."""

    def __init__(self, rate: float | None) -> None:
        self._rate = rate
        self._left = max(1.0, rate or 0.0)
        self._filled_at = 0.0

    def admits(self, now: float) -> bool:
        """Say whether a create that comes at ``now`` is let in, and count it if so."""
        if self._rate is None:
            return True
        self._left = min(max(1.0, self._rate), self._left + (now - self._filled_at) * self._rate)
        self._filled_at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
