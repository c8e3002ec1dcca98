"""The tasks of a generated batch: every document of row ``n`` follows from ``n``,
so that nobody has to keep them.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from mwbatch.core.api.address import Key, write
from mwbatch.core.codec.ids import Attempt, Kid, RowNumber
from mwbatch.core.codec.json_codec import Json
from mwbatch.core.codec.times import iso

BEGAN: Final = datetime(2024, 4, 14, 12, tzinfo=UTC)
"""When the task of row 0 was created."""

APART: Final = timedelta(milliseconds=100)
"""How long after it the next one was."""

WORKED: Final = timedelta(hours=1)
"""How long people worked on each."""

KEY: Final = Key(Kid("k1"), b"a secret of sixteen bytes or more")
API_KEY: Final = "sk_live_growth"
BATCH_ID: Final = "growthgrow"
BASE: Final = "http://127.0.0.1:9"
MANIFEST: Final = "image_url,id,campaign\n"
TAGS: Final = 10
"""Tags of an answer, so that it is about 1.2 KB long."""


@dataclass(frozen=True, slots=True)
class Made:
    """The task of one row."""

    row: int

    @property
    def task_id(self) -> str:
        """Seventeen letters and digits, as the API's."""
        return f"wj{self.row * 7919 % 10**9:09d}qAnvEz"

    @property
    def created(self) -> datetime:
        """When it was created."""
        return BEGAN + APART * self.row

    @property
    def image_url(self) -> str:
        """The picture that is to be tagged."""
        return f"https://images.example.com/spring/{self.row:08d}.jpg"

    def cells(self) -> str:
        """The line of the manifest."""
        return f"{self.image_url},shot-{self.row:08d},spring {self.row % 50}\n"

    def document(self, *, answered: bool = True) -> dict[str, Json]:
        """The task as a listing shows it."""
        shown: dict[str, Json] = {
            "task_id": self.task_id,
            "created_at": iso(self.created),
            "callback_url": write(BASE, KEY, BATCH_ID, RowNumber(self.row), Attempt(1)),
            "type": "tagging",
            "status": "completed" if answered else "pending",
            "params": {"objects_to_tag": "brands", "image_url": self.image_url},
        }
        if answered:
            shown |= {"completed_at": iso(self.created + WORKED), "response": self.response()}
        return shown

    def callback(self) -> dict[str, Json]:
        """What the API posts once it is answered."""
        task = self.document()
        return {"task_id": self.task_id, "response": task.pop("response"), "task": task}

    def response(self) -> Json:
        """The answer: boxes around brands."""
        return {
            "tags": [
                {
                    "id": f"nk5D{self.row:08d}-{number}",
                    "brand": f"Brand {(self.row + number) % 200}",
                    "left": 10 * number,
                    "top": self.row % 400,
                    "width": 300 + number,
                    "height": 40,
                }
                for number in range(TAGS)
            ]
        }
