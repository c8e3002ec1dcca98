"""Rows on the straight path, kept in columns: planned, started once, one task, one answer.

Nearly every row of a batch takes this path, and a `Row` with its `TaskState` costs some 700 bytes; here it is 41, and 57
more once there are answers. Whatever cannot be said in these columns is refused, and becomes a `Row`.
"""

import re
from array import array
from binascii import a2b_hex
from typing import Final, NamedTuple

from mwbatch.core.facts import Seen, answer_name, checked, identity, parse
from mwbatch.core.fold import Row, Status, TaskState

PLANNED, STARTED, SHOWN, DONE, ANSWERED, LIFTED = (1 << bit for bit in range(6))
"""What is known of a row, as bits of its code. ``DONE``: the API says completed; ``LIFTED``: a `Row` has it instead."""

CODES: Final = 1 << 6
DIGEST, SHA256 = 16, 32

_TIME: Final = rb"[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z"
_SEEN: Final = re.compile(
    rb'\{"v":1,"fact":"seen","at":[0-9.e+-]+,"row":([0-9]{1,9}),"attempt":1,"task_id":"([A-Za-z0-9_-]{1,64})",'
    rb'"status":"(pending|completed)","via":"[a-z]+"(?:,"created_at":"(%b)")?(?:,"completed_at":"(%b)")?'
    rb'(?:,"answer":"([0-9a-f]{32})","sha256":"([0-9a-f]{64})")?(?=,"body":|\Z)' % (_TIME, _TIME)
)
_TEXT: Final = re.compile(rb"[A-Za-z0-9_-]{1,64}")
_IS_TIME: Final = re.compile(_TIME)
_IS_HEX: Final = re.compile(rb"[0-9a-f]*")


class Shown(NamedTuple):
    """One showing of a task at attempt 1, in the form in which columns hold it.

    ``created`` and ``completed`` are the digits of a time, 0 for none; ``digest`` and ``sha256`` are empty without an answer.
    """

    row: int
    task_id: bytes
    done: bool
    created: int
    completed: int
    digest: bytes
    sha256: bytes


def shown_by_line(head: bytes) -> Shown | None:
    """Read a line of a segment, without its checksum; None unless it is a plain showing at attempt 1."""
    found = _SEEN.match(head)
    if found is None:
        return None
    row, *texts = found.groups()
    return _shown(int(row), *texts)


def shown_by(seen: Seen) -> Shown | None:
    """The same for a fact at hand."""
    if seen.attempt != 1 or seen.status not in ("pending", "completed"):
        return None
    task_id, created, completed = _ascii(seen.task_id), _ascii(seen.created_at), _ascii(seen.completed_at)
    if not (_TEXT.fullmatch(task_id) and _is_time(created) and _is_time(completed)):
        return None
    digest = sha256 = b""
    if seen.answer is not None:
        digest, sha256 = _ascii(seen.answer), _ascii(seen.sha256)
        if len(digest) != 2 * DIGEST or len(sha256) != 2 * SHA256 or not _IS_HEX.fullmatch(digest + sha256):
            return None
    return _shown(seen.row, task_id, seen.status.encode(), created, completed, digest, sha256)


def _ascii(text: str | None) -> bytes:
    return text.encode("ascii", "replace") if text else b""


def _is_time(text: bytes) -> bool:
    """Whether a time can stand in its column; none is one."""
    return not text or _IS_TIME.fullmatch(text) is not None


def identity_by_line(text: bytes) -> bytes | None:
    """The `mwbatch.core.facts.identity` of the fact in a line of a segment; raises as `parse`."""
    shown = shown_by_line(checked(text))
    if shown is None:
        return identity(parse(text))
    return answer_name(shown.row, 1, shown.task_id.decode(), shown.digest.hex()) if shown.digest else None


def _shown(
    row: int,
    task_id: bytes,
    status: bytes,
    created: bytes | None,
    completed: bytes | None,
    answer: bytes | None,
    sha256: bytes | None,
) -> Shown:
    """Pack the texts. A time becomes the number that its 17 digits are: it orders as the text does, in 8 bytes."""
    return Shown(
        row,
        task_id,
        status == b"completed",
        int(created.translate(None, b"-T:.Z")) if created else 0,
        int(completed.translate(None, b"-T:.Z")) if completed else 0,
        a2b_hex(answer) if answer else b"",
        a2b_hex(sha256) if sha256 else b"",
    )


def _text(digits: int) -> str:
    """The time again."""
    if not digits:
        return ""
    d = str(digits)
    return f"{d[:4]}-{d[4:6]}-{d[6:8]}T{d[8:10]}:{d[10:12]}:{d[12:14]}.{d[14:]}Z"


class Columns:
    """The columns. Row ``n`` has code ``codes[n]``, 0 where no fact has named it; numbers beyond the end are `beyond`."""

    def __init__(self) -> None:
        self.codes = bytearray()
        self._ids = bytearray()
        self._places = array("Q")
        self._created = array("Q")
        self._completed = array("Q")
        self._digests = bytearray()
        self._sha256s = bytearray()

    def grow(self, size: int) -> None:
        """Make room for rows below ``size``, and some more."""
        more = max(size, len(self.codes) * 5 // 4) - len(self.codes)
        self.codes.extend(bytes(more))

    def show(self, shown: Shown) -> bool:
        """Join one showing of a row that is not lifted; False, and nothing is changed, where no column can hold it."""
        number, task_id, done, created, _, digest, _ = shown
        code = self.codes[number]
        if not code & SHOWN:
            self._name(number, task_id, created)
        elif self._id(number) != task_id or (
            digest and code & ANSWERED and self._answer_of(number)[1] != digest
        ):
            return False
        elif created and (created < self._created[number] or not self._created[number]):
            self._created[number] = created
        if digest:
            self._answer(number, code, shown)
            code |= ANSWERED
        self.codes[number] = code | SHOWN | DONE if done else code | SHOWN
        return True

    def row(self, number: int) -> Row:
        """A row as the fold would have it."""
        code = self.codes[number]
        bit = 1 << 1
        row = Row(planned=bool(code & PLANNED), started=bit if code & STARTED else 0)
        if code & SHOWN:
            row.seen = bit
            task = TaskState(
                self._id(number).decode(),
                1,
                "completed" if code & DONE else "pending",
                _text(self._created[number]),
            )
            if code & ANSWERED:
                completed, digest, sha256 = self._answer_of(number)
                task.answers[digest.hex()] = (_text(completed), task.task_id, sha256.hex())
            row.tasks[task.task_id] = task
        return row

    def _name(self, number: int, task_id: bytes, created: int) -> None:
        """Keep the id and the time of a task that is shown for the first time."""
        if number >= len(self._places):
            more = bytes(8 * (len(self.codes) - len(self._places)))
            self._places.frombytes(more)
            self._created.frombytes(more)
        self._places[number] = len(self._ids)
        self._ids.append(len(task_id))
        self._ids += task_id
        self._created[number] = created

    def _id(self, number: int) -> bytes:
        place = self._places[number]
        return bytes(self._ids[place + 1 : place + 1 + self._ids[place]])

    def _answer(self, number: int, code: int, shown: Shown) -> None:
        """Keep an answer, or the lesser of two that say the same."""
        new = (shown.completed, shown.digest, shown.sha256)
        if code & ANSWERED and self._answer_of(number) <= new:
            return
        if number >= len(self._completed):
            more = len(self.codes) - len(self._completed)
            self._completed.frombytes(bytes(8 * more))
            self._digests.extend(bytes(DIGEST * more))
            self._sha256s.extend(bytes(SHA256 * more))
        self._completed[number] = shown.completed
        self._digests[number * DIGEST : (number + 1) * DIGEST] = shown.digest
        self._sha256s[number * SHA256 : (number + 1) * SHA256] = shown.sha256

    def _answer_of(self, number: int) -> tuple[int, bytes, bytes]:
        return (
            self._completed[number],
            bytes(self._digests[number * DIGEST : (number + 1) * DIGEST]),
            bytes(self._sha256s[number * SHA256 : (number + 1) * SHA256]),
        )


def status_of(code: int) -> Status:
    """The status of a row with this code: the law of `Row.status`, for the few rows that columns can say."""
    if code & ANSWERED:
        return Status.COMPLETED
    if code & SHOWN:
        return Status.PENDING
    return Status.DOUBT if code & STARTED else Status.PLANNED
