"""Lines of a segment that are looked at and not read: no fact is made of a line that need not be one.

One regular expression finds what nearly every line says, a plan or a showing at attempt 1 as the API makes
them: 0.2 µs for a plan and 0.5 to 0.9 for a showing, beside 4.5 for reading either. Whatever is spelled
in another way is read. It is a law (``tests/unit/core/facts/test_glances.py``) that both ways say the
same of every line.
"""

import re
from collections.abc import Callable
from typing import Final, NamedTuple, TypeVar

from mwbatch.core.codec.ids import FIRST, Attempt, RowNumber
from mwbatch.core.codec.json_codec import as_bytes, decode, encode
from mwbatch.core.facts.digests import answer_name, identity
from mwbatch.core.facts.kinds import CONFIRMING, Fact, Planned, Seen, Via
from mwbatch.core.facts.lines import BODY, beginning, checked, parse

One = TypeVar("One", bound=Fact)
"""One kind of fact."""

Glance = re.Match[bytes]
"""What was found in a line: plan, row, task, status, via, created, completed, answer, sha256, in this order.

``row`` is always there. A ``plan`` has nothing else; a showing has ``task`` (an id), ``status`` (of
`STATUSES`), ``via`` (none for a callback), and what is there of ``created`` and ``completed`` (`TIME`),
``answer`` and ``sha256`` (hex).
"""

# A digit at a time: the engine is slower at counting them.
TIME: Final = rb"[1-9]ddd-dd-ddTdd:dd:dd\.dddZ".replace(b"d", b"[0-9]")
"""A time as the API writes it."""

TASK: Final = rb"[A-Za-z0-9_-]{1,64}"
"""A task's id as the API makes it."""

STATUSES: Final = ("pending", "completed", "canceled")
"""What the API may say of a task; any other word is read."""

_PLAIN: Final = re.compile(
    rb"""
    (?: (?P<plan>%b) | %b ) "at":[0-9.e+-]+,"row":(?P<row>[0-9]{1,9}),
    (?(plan)
    | "attempt":1,"task_id":"(?P<task>%b)","status":"(?P<status>%b)","via":"(?:callback|(?P<via>%b))"
      (?: ,"created_at":"(?P<created>%b)" )?
      (?: ,"completed_at":"(?P<completed>%b)" )?
      (?: ,"answer":"(?P<answer>[0-9a-f]{32})","sha256":"(?P<sha256>[0-9a-f]{64})" )?
      (?= %b | \Z )
    )"""
    % (
        re.escape(beginning(Planned)),
        re.escape(beginning(Seen)),
        TASK,
        "|".join(STATUSES).encode(),
        "|".join(sorted(CONFIRMING)).encode(),
        TIME,
        TIME,
        BODY,
    ),
    re.VERBOSE,
).match

_NAMED: Final = re.compile(
    rb'%b"at":[^,]*,"row":(?P<row>\d+),"attempt":(?P<attempt>\d+),"task_id":(?P<task>"(?:[^"\\]|\\.)*")'
    % re.escape(beginning(Seen))
).match

EDITION: Final = b'"edition":'
"""What stands in the line of a plan in another edition than the first, and may stand in others."""

_CALLBACK: Final = b'"via":%b' % encode(Via.CALLBACK)


class KeptAnswer(NamedTuple):
    """An answer on disk: its `identity` (`mwbatch.core.facts.digests`), and whose it is."""

    name: bytes
    row: RowNumber
    attempt: Attempt
    task_id: str


def glance(text: bytes) -> Glance | None:
    """What is plain to see in a line, which is proved; None where it has to be read. Raises `BadLine`."""
    return _PLAIN(checked(text))


def kept_answer(text: bytes) -> KeptAnswer | None:
    """The answer in a line; None where it has none. Raises as `parse`."""
    if (found := glance(text)) is None:
        fact = parse(text)
        name = identity(fact)
        return (
            KeptAnswer(name, fact.row, fact.attempt, fact.task_id)
            if name and isinstance(fact, Seen)
            else None
        )
    row, task, answer = found.group("row", "task", "answer")
    if not answer:
        return None
    number, task_id = RowNumber(int(row)), task.decode()
    return KeptAnswer(answer_name(number, FIRST, task_id, answer.decode()), number, FIRST, task_id)


def answered_row(text: bytes) -> int | None:
    """The number of the row to which a line brings an answer; None where there is none. Raises as `parse`."""
    if (found := glance(text)) is not None:
        return int(found["row"]) if found["answer"] else None
    fact = parse(text)
    return fact.row if isinstance(fact, Seen) and fact.answer is not None else None


def shown_task(text: bytes) -> tuple[int, bytes] | None:
    """The row and the id of the task that a line shows; None where it shows none. Raises as `parse`."""
    if (found := glance(text)) is not None:
        return None if found["plan"] else (int(found["row"]), found["task"])
    fact = parse(text)
    return (fact.row, as_bytes(fact.task_id)) if isinstance(fact, Seen) else None


def only(kind: type[One]) -> Callable[[bytes], One | None]:
    """Read the facts of one kind, and pass all other lines over unread."""
    mark = beginning(kind)

    def read(text: bytes) -> One | None:
        fact = parse(text) if text.startswith(mark) else None
        assert fact is None or isinstance(fact, kind)
        return fact

    return read


def plans_of(want: Callable[[int], bool], task_type: str | None = None) -> Callable[[bytes], Planned | None]:
    """Read the plans of wanted rows, and pass over what is surely another line, or of another type."""
    mark = b"" if task_type is None else b'"type":%b' % encode(task_type)

    def read(text: bytes) -> Planned | None:
        if mark not in text:
            return None
        found = _PLAIN(text)
        if found and found["plan"] and not want(int(found["row"])):
            return None
        fact = parse(text)
        return fact if isinstance(fact, Planned) and want(fact.row) else None

    return read


def renewed_plan(text: bytes) -> Planned | None:
    """Read a line only where it may plan a row in another edition than the first."""
    fact = parse(text) if EDITION in text else None
    return fact if isinstance(fact, Planned) and fact.edition else None


def bare_callback(text: bytes) -> Seen | None:
    """Read a line only where it may tell of a callback."""
    fact = parse(text) if _CALLBACK in text else None
    return fact if isinstance(fact, Seen) and fact.via is Via.CALLBACK else None


def named_task(text: bytes) -> tuple[RowNumber, Attempt, bytes] | None:
    """Row, attempt and task (JSON, always spelled in one way) that a line shows, unproved; None for none."""
    if (found := _NAMED(text)) is None:
        return None
    row, attempt, task = found.group("row", "attempt", "task")
    return RowNumber(int(row)), Attempt(int(attempt)), encode(decode(task)) if b"\\" in task else task
