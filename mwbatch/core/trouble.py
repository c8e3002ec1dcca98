"""When to stop sending: trouble is contained before it costs more than it must."""

from collections import deque
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from mwbatch.core.verdict import Outcome, Verdict

UNKNOWN_IN_A_ROW: Final = 8
WINDOW: Final = 200
UNKNOWN_SHARE: Final = 0.2
REFUSED_IN_A_ROW: Final = 20


class Advice(Enum):
    """What the sender must do after an outcome."""

    GO_ON = auto()
    PROBE = auto()
    """Start nothing until a listing was answered: too many requests leave rows in doubt."""
    STOP = auto()
    """End the run: it concerns the account, or every row."""


@dataclass(slots=True)
class Trouble:
    """Counts the outcomes of creates, in the order in which they came."""

    keep_going: bool = False
    recent: deque[bool] = field(default_factory=lambda: deque(maxlen=WINDOW))
    unknown: int = 0
    """How many of the last outcomes, in a row, were unknown."""
    among: int = 0
    """How many of the recent ones."""
    refused: int = 0
    message: str = ""

    def note(self, outcome: Outcome) -> Advice:
        """Take one outcome in, and say what follows."""
        self._note_unknown(outcome.verdict is Verdict.UNKNOWN)
        self._note_refusal(outcome)
        if outcome.verdict is Verdict.HALTED:
            return Advice.STOP
        if self.refused >= REFUSED_IN_A_ROW and not self.keep_going:
            return Advice.STOP
        full = len(self.recent) == WINDOW
        if self.unknown >= UNKNOWN_IN_A_ROW or (full and self.among >= UNKNOWN_SHARE * WINDOW):
            return Advice.PROBE
        return Advice.GO_ON

    def calmed(self) -> None:
        """A probe was answered: count anew."""
        self.recent.clear()
        self.unknown = self.among = 0

    def _note_unknown(self, unknown: bool) -> None:
        self.among += unknown - (len(self.recent) == WINDOW and self.recent[0])
        self.recent.append(unknown)
        self.unknown = self.unknown + 1 if unknown else 0

    def _note_refusal(self, outcome: Outcome) -> None:
        if outcome.verdict is not Verdict.REFUSED:
            self.refused = 0
        elif outcome.message == self.message:
            self.refused += 1
        else:
            self.refused, self.message = 1, outcome.message
