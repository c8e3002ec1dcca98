"""When to stop sending: trouble is contained before it costs more than it must."""

from collections import deque
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from mwbatch.core.facts import Verdict
from mwbatch.core.verdict import Outcome

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
    count: int = 0
    """How many outcomes came since counting began anew."""
    unknowns: deque[int] = field(default_factory=deque)
    """Which of the last `WINDOW` of them were unknown, by their number."""
    unknown: int = 0
    """How many of the last, in a row, were."""
    refused: int = 0
    message: str = ""

    def note(self, outcome: Outcome) -> Advice:
        """Take one outcome in, and say what follows."""
        self.count += 1
        if outcome.verdict is Verdict.CREATED and not self.unknowns:  # as nearly always
            self.refused = 0
            return Advice.GO_ON
        self._note_unknown(outcome.verdict is Verdict.UNKNOWN)
        self._note_refusal(outcome)
        if outcome.verdict is Verdict.HALTED:
            return Advice.STOP
        if self.refused >= REFUSED_IN_A_ROW and not self.keep_going:
            return Advice.STOP
        full = self.count >= WINDOW
        if self.unknown >= UNKNOWN_IN_A_ROW or (full and len(self.unknowns) >= UNKNOWN_SHARE * WINDOW):
            return Advice.PROBE
        return Advice.GO_ON

    def calmed(self) -> None:
        """A probe was answered: count anew."""
        self.unknowns.clear()
        self.count = self.unknown = 0

    def _note_unknown(self, unknown: bool) -> None:
        if self.unknowns and self.unknowns[0] <= self.count - WINDOW:
            self.unknowns.popleft()
        if unknown:
            self.unknowns.append(self.count)
        self.unknown = self.unknown + 1 if unknown else 0

    def _note_refusal(self, outcome: Outcome) -> None:
        if outcome.verdict is not Verdict.REFUSED:
            self.refused = 0
        elif outcome.message == self.message:
            self.refused += 1
        else:
            self.refused, self.message = 1, outcome.message
