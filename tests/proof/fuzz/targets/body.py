"""The body check: a callback's bytes are taken if and only if they are strict JSON that names a task,
and are kept.
"""

from hashlib import sha256
from typing import Final

from mwbatch.callbacks.common.refusal import Reason, Rejected
from mwbatch.callbacks.intake.delivery import Delivery, Mismatch, read
from mwbatch.core.api.address import Address, find
from mwbatch.core.api.task import parse_callback
from mwbatch.core.codec.ids import Attempt, Kid, RowNumber
from mwbatch.core.codec.json_codec import Json, decode, encode
from mwbatch.core.facts import lines
from mwbatch.core.facts.digests import digest
from mwbatch.core.facts.kinds import Seen
from mwbatch.core.facts.lines import BadLine
from mwbatch.core.report.result_line import response
from tests.proof.fuzz.oracle import has_odd_numbers, is_json, value_of
from tests.proof.fuzz.shelf import unique
from tests.proof.fuzz.target import Target

HERE: Final = Address(Kid("k1"), "b234567890", RowNumber(7), Attempt(2), "0" * 32)
_ONE_LINE: Final = bytes.maketrans(b"\n\r\t", b"   ")


def one(raw: bytes) -> None:
    """The laws of `read`, and of the line that is written for what it takes."""
    taken = delivered(raw)
    if not is_json(raw):
        assert taken is Reason.NOT_JSON
        return
    odd = has_odd_numbers(raw)
    if odd and taken is Reason.NOT_JSON:
        return  # a number beyond a double, or of thousands of digits
    value = decode(raw) if odd else value_of(raw)
    assert odd or decode(raw) == value
    named = names(value)
    if not isinstance(taken, Delivery):
        assert taken is Reason.NOT_TASK
        assert not named, named
        return
    assert taken.seen.task_id in named
    if len(named) == 2:
        assert taken.mismatch is not None
    else:
        assert taken.mismatch is not Mismatch.TWO_TASKS
    kept(taken.seen, raw, value)


def delivered(raw: bytes) -> Delivery | Reason:
    """What becomes of a body."""
    try:
        return read(HERE, raw, 5.0)
    except Rejected as rejected:
        return rejected.reason


def names(value: Json) -> set[str]:
    """The task ids that a callback names, by the reference: at the top, inside `task`,
    under either spelling.
    """
    found = {_name(value), _name(value["task"]) if isinstance(value, dict) and "task" in value else ""}
    return found - {""}


def _name(value: Json) -> str:
    if not isinstance(value, dict):
        return ""
    said = value["task_id"] if "task_id" in value else value.get("taskId")
    if type(said) is int and 0 <= said < 1 << 64:
        return str(said)
    return said if isinstance(said, str) else ""


def kept(seen: Seen, raw: bytes, value: Json) -> None:
    """One line, read back as the fact that was written, with the body that came and its own digest."""
    line = lines.line(seen)
    assert line.find(b"\n") == len(line) - 1
    back = lines.parse(line[:-1])
    assert back == seen._replace(body=raw.translate(_ONE_LINE))
    assert isinstance(back, Seen)
    assert back.body is not None
    assert has_odd_numbers(raw) or value_of(back.body) == value
    assert back.sha256 == sha256(raw).hexdigest()
    assert (response(back) is None) is (back.answer is None)
    assert back.answer is None or back.answer == digest(parse_callback(decode(back.body)).response)
    assert find(encode(response(back)).decode()) is None
    place = len(raw) * 7 % (len(line) - 1)
    try:
        lines.parse(line[:place] + bytes([line[place] ^ 0x10]) + line[place + 1 : -1])
    except BadLine:
        return
    raise AssertionError("a flipped bit was not noticed")


def _seeds() -> list[bytes]:
    task = b'{"task_id":"t1","status":"completed","params":{"image_url":"https://x.test/1.jpg"}}'
    return [
        b'{"task_id":"t1","response":{"tags":[{"id":"x","left":1,"top":2.5,"width":3e2,"height":-4}]},"task":%b}'
        % task,
        b'{\n\t"taskId": "t1",\r\n\t"state": "finished", "response": {"tags": []}\n}\n',
        b'{"task_id":"outer","task":{"task_id":"inner","response":null}}',
        b'{"task_id":"t","response":"/callbacks/v1/k1/b234567890/0-1/0123456789abcdef0123456789abcdef"}',
        b'{"task_id":7,"response":"\\ud83d\\u0000\\n","x":[NaN,Infinity]}',
        b'{"task_id":"\\ud83d","a":1,"a":2,"response":"\xe2\x80\xa8\xf0\x9f\x98\x80"}',
        b'{"task_id":"t","response":123456789012345678901234567890,"b":1e999}',
        b'{"task_id":"t","response":' + b"[" * 63 + b"]" * 63 + b"}",
        b'{"task_id":"t","response":' + b"[" * 64 + b"]" * 64 + b"}",
        b'\xef\xbb\xbf{"task_id":"t"}',
        '{"task_id":"t"}'.encode("utf-16"),
        b'{"task_id":"t"}x',
        b"[]",
        b"null",
    ]


_WORDS: Final = (
    *b'"task_id": "taskId": "task": "response": "status": "state": "completed_at":'.split(),
    *b'" {" "} ":" , [[[[ ]]]]'.split(),
    *b"null true false NaN -Infinity 1e999 18446744073709551616 \\ud83d \\ude00 \\u0000".split(),
    *(b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\x80", b"\n", b"\0"),
)

TARGET: Final = Target("body", one, unique(_seeds()), _WORDS)
