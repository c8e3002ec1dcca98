"""Callbacks as the API and the way to it may send them: new, again, with other bytes, in conflict,
several at once.
"""

import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

BIG: Final = 300_000
"""Bytes of the largest callbacks: too many for one page of the kernel's."""


@dataclass(frozen=True)
class Job:
    """One callback that is posted until it is answered 200, by ``at_once`` senders at the same time."""

    batch: str
    row: int
    body: bytes
    at_once: int = 1
    attempt: int = 1

    @property
    def sha(self) -> str:
        """The digest of what is sent."""
        return sha256(self.body).hexdigest()

    @property
    def task(self) -> str:
        """The id of its task."""
        return str(json.loads(self.body)["task_id"])

    @property
    def bare(self) -> bool:
        """Whether it brings no answer."""
        return json.loads(self.body).get("response") is None

    @property
    def answer(self) -> tuple[str, int, int, str, str]:
        """What is on disk once it is acknowledged: an answer that says the same, or, without an answer,
        these bytes.
        """
        return said(self.batch, self.row, self.attempt, self.body, self.sha)


def said(batch: str, row: int, attempt: int, body: bytes, sha: str) -> tuple[str, int, int, str, str]:
    """Name what a callback says, by the standard library alone: two that say the same have the same name."""
    record = json.loads(body)
    response = record.get("response")
    text = sha if response is None else json.dumps(response, sort_keys=True)
    return batch, row, attempt, record["task_id"], text


class Deck:
    """Draws callbacks; a seed decides which."""

    def __init__(self, chance: random.Random, batches: Sequence[str], rows: int) -> None:
        self._chance, self._batches, self._rows = chance, batches, rows
        self._drawn: list[Job] = []
        self.kinds: Counter[str] = Counter()

    def draw(self) -> Job:
        """The next callback to send."""
        kinds = ("new", "again", "retouched", "conflict", "canceled", "at once")
        [kind] = self._chance.choices(kinds, (50, 12, 10, 8, 5, 15))
        if not self._drawn and kind in ("again", "retouched", "conflict"):
            kind = "new"
        self.kinds[kind] += 1
        job = self._make(kind)
        self._drawn.append(job)
        return job

    def _make(self, kind: str) -> Job:
        known = self._chance.choice(self._drawn) if self._drawn else self._new()
        match kind:
            case "again":
                return replace(known, at_once=1)
            case "retouched":
                return replace(known, at_once=1, body=self._retouched(known.body))
            case "conflict":
                return self._at(known.batch, known.row, self._response())
            case "canceled":
                return self._at(self._batch(), self._row(), None)
            case "at once":
                return replace(self._new(), at_once=self._chance.randint(2, 5))
        return self._new()

    def _new(self) -> Job:
        return self._at(self._batch(), self._row(), self._response())

    def _batch(self) -> str:
        return self._chance.choice(self._batches)

    def _row(self) -> int:
        return self._chance.randrange(self._rows)

    def _at(self, batch: str, row: int, response: str | None) -> Job:
        """One task a row; ``response`` is JSON as it stands on the wire."""
        task, number = f"t-{batch}-{row}", self._chance.randrange(10**6)
        status = "canceled" if response is None else "completed"
        inner = (
            f'{{"task_id":"{task}","status":"{status}","completed_at":"2026-01-01T00:00:00.{number:06d}Z"}}'
        )
        answer = "" if response is None else f'"response":{response},'
        return Job(batch, row, f'{{"task_id":"{task}",{answer}"task":{inner}}}'.encode())

    def _response(self) -> str:
        """What people may answer, and what JSON may look like."""
        number = self._chance.randrange(1, 1000)
        return self._chance.choice(
            (
                f'{{"tags":[{{"id":"{number}","left":1,"top":2,"width":3,"height":4}}]}}',
                f'{{"tags":[{{"id":"{number}","brand":"\\ud83d"}}]}}',
                f'{{"tags":[],"note":"\u2028\u0085é {number}"}}',
                f'{{"tags":[],"n":1,"n":{number}}}',
                f'{{"tags":\n[\t\r\n],\n"n":{number}}}',
                f'{{"tags":[],"note":"{"x" * self._chance.choice((10, 5_000, BIG))}{number}"}}',
                f'{{"n":{number}00000000000000000000000000000001}}',
            )
        )

    def _retouched(self, body: bytes) -> bytes:
        """Other bytes that say the same."""
        return body[:-1] + b" " * self._chance.randint(1, 9) + self._chance.choice((b"", b"\n")) + b"}"
