"""Trouble that lasts: it is said once when it begins, and once when it has ended,
however often it is met meanwhile.
"""

import logging
from typing import Final

_log: Final = logging.getLogger("mwbatch.callbacks")


class Troubles:
    """What stands now, by a name for each; what is said of it goes to the log."""

    def __init__(self) -> None:
        self.standing: dict[str, object] = {}
        """Of what kind each is, by its name."""

    def begin(self, name: str, words: object, kind: object = None, level: int = logging.ERROR) -> None:
        """Say that it has begun, or is of another ``kind`` now, unless it was said."""
        if name not in self.standing or self.standing[name] != kind:
            self.standing[name] = kind
            _log.log(level, "%s", words)

    def end(self, name: str, words: str) -> None:
        """Say that it has ended, where it stood."""
        if name in self.standing:
            del self.standing[name]
            _log.warning("%s", words)
