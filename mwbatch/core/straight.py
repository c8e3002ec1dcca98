"""Rows on the straight path, kept in columns: planned, started once, one task, one answer; or canceled on the way.

Nearly every row of a batch takes this path, and a `Row` with its `TaskState` costs some 700 bytes; here it is 41, and 57
more once there are answers. Whatever cannot be said in these columns is refused, and becomes a `Row`.
"""

import re
from array import array
from binascii import a2b_hex
from typing import Final, NamedTuple

from mwbatch.core.facts import CONFIRMING, Seen, answer_name, identity
from mwbatch.core.fold import Row, Status, TaskState
from mwbatch.core.holders import Holders
from mwbatch.core.lines import checked, parse

PLANNED, STARTED, SHOWN, DONE, CANCELED, ANSWERED, WITHDRAWN, CONFIRMED = (1 << bit for bit in range(8))
"""What is known of a row, as bits of its code.

``DONE`` and ``CANCELED`` are the API's words for its task; ``CONFIRMED``: they are no callback's; ``WITHDRAWN``: the
user gave it up before it was sent.
"""

LIFTED: Final = DONE
"""The code of a row that a `Row` has instead: no other has it, as nothing is said of a task that was not shown."""

CODES: Final = frozenset(
    code for code in range(1, 256) if code & SHOWN or not code & (DONE | CANCELED | ANSWERED | CONFIRMED)
)
"""The codes of the rows that the columns hold."""

SAID: Final = {"pending": 0, "completed": DONE, "canceled": CANCELED}
"""What the API may say of a task, as bits; any other word has no column."""

DIGEST, ANSWER = 16, 16 + 32
"""The bytes of an answer's digest, and of that and its SHA-256."""

# A digit at a time: the engine is slower at counting them.
_TIME: Final = rb"[1-9]ddd-dd-ddTdd:dd:dd\.dddZ".replace(b"d", b"[0-9]")
_LINE: Final = re.compile(
    rb'\{"v":1,"fact":"(?:(planned)|seen)","at":[0-9.e+-]+,"row":([0-9]{1,9}),(?(1)|"attempt":1,'
    rb'"task_id":"([A-Za-z0-9_-]{1,64})","status":"(pending|completed|canceled)",'
    rb'"via":"(?:callback|(create|get|list|cancel))"'
    rb'(?:,"created_at":"(%b)")?(?:,"completed_at":"(%b)")?'
    rb'(?:,"answer":"([0-9a-f]{32})","sha256":"([0-9a-f]{64})")?(?=,"body":|\Z))' % (_TIME, _TIME)
).match
"""Finds what columns hold in a line, without its checksum: it plans a row, or is a plain showing at attempt 1."""

_TEXT: Final = re.compile(rb"[A-Za-z0-9_-]{1,64}")
_IS_TIME: Final = re.compile(_TIME)
_IS_HEX: Final = re.compile(rb"[0-9a-f]*")


class Shown(NamedTuple):
    """One showing of a task at attempt 1, in the form in which columns hold it.

    ``said`` has the bits of `SAID`, and ``CONFIRMED``; ``created`` and ``completed`` are the digits of a time, 0 for none; ``answer`` is
    digest and SHA-256, empty for none.
    """

    row: int
    task_id: bytes
    said: int
    created: int
    completed: int
    answer: bytes


def shown_by(seen: Seen) -> Shown | None:
    """The form of a fact at hand; None unless it is a plain showing at attempt 1."""
    said = SAID.get(seen.status)
    if seen.attempt != 1 or said is None:
        return None
    task_id, created, completed = _ascii(seen.task_id), _ascii(seen.created_at), _ascii(seen.completed_at)
    if not (_TEXT.fullmatch(task_id) and _is_time(created) and _is_time(completed)):
        return None
    answer = b""
    if seen.answer is not None:
        digest, sha256 = _ascii(seen.answer), _ascii(seen.sha256)
        answer = digest + sha256
        if len(digest) != 2 * DIGEST or len(answer) != 2 * ANSWER or not _IS_HEX.fullmatch(answer):
            return None
    if seen.via in CONFIRMING:
        said |= CONFIRMED
    return Shown(seen.row, task_id, said, _digits(created), _digits(completed), a2b_hex(answer))


def _ascii(text: str | None) -> bytes:
    return text.encode("ascii", "replace") if text else b""


def _is_time(text: bytes) -> bool:
    """Whether a time can stand in its column; none is one."""
    return not text or _IS_TIME.fullmatch(text) is not None


class Kept(NamedTuple):
    """An answer on disk: its `mwbatch.core.facts.identity`, and of which task of which attempt it is."""

    name: bytes
    row: int
    attempt: int
    task_id: str


def kept_answer(text: bytes) -> Kept | None:
    """The answer in a line of a segment; None where it has none. Raises as `parse`."""
    found = _LINE(checked(text))
    if found is None:
        fact = parse(text)
        name = identity(fact)
        return Kept(name, fact.row, fact.attempt, fact.task_id) if name and isinstance(fact, Seen) else None
    _, row, task_id, _, _, _, _, answer, _ = found.groups()
    if not answer:
        return None
    number, task = int(row), task_id.decode()
    return Kept(answer_name(number, 1, task, answer.decode()), number, 1, task)


def answered_row(text: bytes) -> int | None:
    """The number of the row to which a line brings an answer; None where it brings none. Raises as `parse`."""
    found = _LINE(checked(text))
    if found is not None and found[8]:
        return int(found[2])
    fact = parse(text)
    return fact.row if isinstance(fact, Seen) and fact.answer is not None else None


def shown_task(text: bytes) -> tuple[int, bytes] | None:
    """The row and the id of the task that a line shows; None where it shows none. Raises as `parse`."""
    found = _LINE(checked(text))
    if found is not None:
        return None if found[1] else (int(found[2]), found[3])
    fact = parse(text)
    return (fact.row, fact.task_id.encode("utf-8", "surrogatepass")) if isinstance(fact, Seen) else None


def planned_row(text: bytes) -> int | None:
    """The number of the row that a line plans, unproved; None where it is another line, or written in another way."""
    found = _LINE(text)
    return int(found[2]) if found and found[1] else None


def _digits(time: bytes) -> int:
    """A time as the number that its 17 digits are: it orders as the text does, in 8 bytes; 0 for none."""
    return int(time.translate(None, b"-T:.Z")) if time else 0


def _text(digits: int) -> str:
    """The time again."""
    if not digits:
        return ""
    d = str(digits)
    return f"{d[:4]}-{d[4:6]}-{d[6:8]}T{d[8:10]}:{d[10:12]}:{d[12:14]}.{d[14:]}Z"


class Columns:
    """The columns. Row ``n`` has code ``codes[n]``, 0 where no fact has named it; numbers beyond the end are `beyond`.

    ``holders`` knows the tasks of all rows: no column holds one that another row has.
    """

    def __init__(self, holders: Holders) -> None:
        self.codes = bytearray()
        self._holders = holders
        self._ids = bytearray()
        self._places = array("Q")
        self._created = array("Q")
        self._completed = array("Q")
        self._answers = bytearray()

    def grow(self, size: int) -> None:
        """Make room for rows below ``size``, and some more."""
        more = max(size, len(self.codes) * 5 // 4) - len(self.codes)
        self.codes.extend(bytes(more))

    def take(self, head: bytes) -> bool:
        """Join what a line says, without its checksum; False, and nothing is changed, where no column can hold it."""
        found = _LINE(head)
        if found is None:
            return False
        planned, row, task_id, status, confirms, created, completed, answer, sha256 = found.groups()
        number, codes = int(row), self.codes
        if number >= len(codes) or codes[number] == LIFTED:
            return False
        if planned:
            codes[number] |= PLANNED
            return True
        return self.show(
            number,
            task_id,
            SAID[status.decode()] | CONFIRMED if confirms else SAID[status.decode()],
            int(created.translate(None, b"-T:.Z")) if created else 0,
            int(completed.translate(None, b"-T:.Z")) if completed else 0,
            a2b_hex(answer + sha256) if answer else b"",
        )

    def show(
        self, number: int, task_id: bytes, said: int, created: int, completed: int, answer: bytes
    ) -> bool:
        """Join one showing of a row that is not lifted, as `Shown`; False, and nothing is changed, as in `take`."""
        code = self.codes[number]
        if not code & SHOWN:
            if self._holders.claim(task_id, number) != number:
                return False
            self._name(number, task_id, created)
        elif not self._is_named(number, task_id) or (
            answer and code & ANSWERED and self._answer_of(number)[1][:DIGEST] != answer[:DIGEST]
        ):
            return False
        elif (code ^ said) & CONFIRMED:
            # What the API itself shows of a task replaces what callbacks said.
            if code & CONFIRMED:
                said = 0
            else:
                code &= ~(DONE | CANCELED)
                self._created[number] = created
        elif created and (created < self._created[number] or not self._created[number]):
            self._created[number] = created
        if answer:
            if not code & ANSWERED or (completed, answer) < self._answer_of(number):
                self._answer(number, completed, answer)
            code |= ANSWERED
        self.codes[number] = code | SHOWN | said
        return True

    def row(self, number: int) -> Row:
        """A row as the fold would have it."""
        code = self.codes[number]
        bit = 1 << 1
        row = Row(
            planned=bool(code & PLANNED),
            started=bit if code & STARTED else 0,
            forbidden=1 if code & WITHDRAWN else 0,
        )
        if task := self.task(number):
            row.seen = bit
            row.confirmed = bit if code & CONFIRMED else 0
            row.tasks[task.task_id] = task
        return row

    def task(self, number: int) -> TaskState | None:
        """The one task of a row; None where none was shown."""
        code = self.codes[number]
        if not code & SHOWN:
            return None
        said = "canceled" if code & CANCELED else "completed" if code & DONE else "pending"
        task = TaskState(self._id(number).decode(), 1, said, _text(self._created[number]))
        task.confirmed = bool(code & CONFIRMED)
        if code & ANSWERED:
            completed, answer = self._answer_of(number)
            task.answers[answer[:DIGEST].hex()] = (_text(completed), task.task_id, answer[DIGEST:].hex())
        return task

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

    def has(self, number: int, task_id: bytes) -> bool:
        """Whether the columns have this task at a row."""
        return bool(self.codes[number] & SHOWN) and self._is_named(number, task_id)

    def _is_named(self, number: int, task_id: bytes) -> bool:
        place = self._places[number]
        return self._ids[place] == len(task_id) and self._ids.startswith(task_id, place + 1)

    def _answer(self, number: int, completed: int, answer: bytes) -> None:
        """Keep an answer in the place of any other."""
        if number >= len(self._completed):
            more = len(self.codes) - len(self._completed)
            self._completed.frombytes(bytes(8 * more))
            self._answers.extend(bytes(ANSWER * more))
        self._completed[number] = completed
        self._answers[number * ANSWER : (number + 1) * ANSWER] = answer

    def _answer_of(self, number: int) -> tuple[int, bytes]:
        return self._completed[number], bytes(self._answers[number * ANSWER : (number + 1) * ANSWER])


def status_of(code: int) -> Status:
    """The status of a row with this code: the law of `Row.status`, for the few rows that columns can say."""
    if code & ANSWERED:
        return Status.COMPLETED
    if code & CONFIRMED:
        return Status.CANCELED if code & CANCELED else Status.PENDING
    if code & (STARTED | SHOWN):
        return Status.DOUBT
    return Status.CANCELED if code & WITHDRAWN else Status.PLANNED
