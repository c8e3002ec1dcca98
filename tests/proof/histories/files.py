"""What is asked for, and the files in which people keep it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import orjson

from mwbatch.simulator.world.tasks import Task
from tests.proof.torture.schedules.manifest import SIGNED

SESSION: Final = "session={0}"
"""What no provider signs with: the user says that it is volatile."""
SIGNATURES: Final = (*SIGNED, SESSION)

Key = tuple[str, str]
"""What a request asks for, told by this witness: the picture without what signs its URL, and the question."""


@dataclass(frozen=True)
class Ask:
    """One thing to be labelled; question 0 asks for the logos, any other one about given boxes."""

    picture: int
    question: int = 0

    @property
    def key(self) -> Key:
        """What it asks for."""
        return self._picture, self._question

    @property
    def _picture(self) -> str:
        return f"https://images.example.com/{self.picture}.jpg"

    @property
    def _question(self) -> str:
        return f"Question {self.question}?" if self.question else ""

    def fields(self, signed: str) -> dict[str, object]:
        """The columns of a row."""
        url: dict[str, object] = {"image_url": self._picture + (f"?{signed}" if signed else "")}
        if not self.question:
            return url
        box = {"id": "box", "left": 1, "top": 2, "width": 30, "height": 40}
        return {**url, "instruction": self._question, "annotation_option": ["yes", "no"], "tags": [box]}


def key_of(task: Task) -> Key:
    """What a task of the ledger asks for."""
    params = task.draft.params
    return params["image_url"].partition("?")[0], params.get("instruction", "")


@dataclass
class File:
    """A manifest: its rows, each with an id or none, and how its URLs are signed.

    ``renumbered``: somebody gave its rows other ids than they had.
    """

    path: Path
    rows: list[tuple[str, Ask]] = field(default_factory=list)
    signature: str = ""
    edition: int = 1
    renumbered: bool = False

    @property
    def volatile(self) -> tuple[str, ...]:
        """What the user says of the URLs."""
        return ("session",) if self.signature == SESSION else ()

    @property
    def keys(self) -> list[Key]:
        """What its rows ask for."""
        return [ask.key for _, ask in self.rows]

    def write(self) -> None:
        """Write it."""
        signed = self.signature.format(self.edition)
        lines = [({"id": name} if name else {}) | ask.fields(signed) for name, ask in self.rows]
        self.path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
