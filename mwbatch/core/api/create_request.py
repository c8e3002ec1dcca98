"""One create request: the body that is sent, and what its outcome proves.

The body is ``application/x-www-form-urlencoded``, field for field as the reference's curl sends it. Brackets
in names stand as they are; values are percent-encoded, a space as ``+``. Characters that mean nothing in a
form (``:/?@`` and the like) stand as they are too, so a plain URL looks as it does in the reference.

Of what comes back the table of the API's statuses is the law; transport trouble is judged where it happens,
and comes in as `Verdict.UNSENT` or `Verdict.UNKNOWN`. Whatever nobody can prove is ``unknown``: a task may
exist, and a person may be paid for it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple
from urllib.parse import quote_plus

from mwbatch.core.api.address import find, masked
from mwbatch.core.api.task import BadTask, Task, parse_task
from mwbatch.core.codec.json_codec import BadJson, decode
from mwbatch.core.codec.times import asked_wait
from mwbatch.core.facts.kinds import EDGES, Verdict

_SAFE: Final = ":/?@!$'()*,"
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.~:/?@!$'()*,-]*")
"""What stands as it is, `_SAFE` included."""

VERDICTS: Final[Mapping[int, Verdict]] = {
    **dict.fromkeys(range(300, 400), Verdict.HALTED),
    **dict.fromkeys((401, 402, 403, 404, 405), Verdict.HALTED),
    **dict.fromkeys((400, 410, 411, 413, 414, 415, 422), Verdict.REFUSED),
    429: Verdict.BUSY,
}
"""The verdict of every status but 2xx; one that is not listed is `Verdict.UNKNOWN`."""

ADVICE: Final[Mapping[int, str]] = {
    **dict.fromkeys(range(300, 400), "the API redirects elsewhere: check MICROWORK_BASE_URL"),
    401: "the API key is wrong: check MICROWORK_API_KEY",
    402: "the account wants payment: see the Microwork account of this API key",
    403: "this is for administrators only: check whose key MICROWORK_API_KEY is",
    404: "nothing is found there: check MICROWORK_BASE_URL",
    405: "the API does not take this request there: check MICROWORK_BASE_URL",
    429: "the API asks to slow down",
    500: "the API failed, try later",
    503: "the API is offline for maintenance, try later",
}
"""What a status means and what to do about it, in front of the API's own words."""

UNREADABLE: Final = "the answer cannot be read"
OTHER_ADDRESS: Final = "the answer names another callback address"
TAKEN: Final = "the answer names a task that another row or attempt has already"
LONGEST_MESSAGE: Final = 300
_LONGEST_TEXT: Final = 8192


class BadForm(ValueError):
    """A request that cannot be written: a field is missing, has a wrong type, or is not valid Unicode."""


# the API's name
def encode_create(type: str, request: Mapping[str, object], callback_url: str) -> bytes:  # noqa: A002
    """Write the body of a create request.

    ``request`` holds the API's own field names: ``image_url`` and ``objects_to_tag``, or ``image_url``,
    ``instruction``, ``annotation_option`` (a list of text) and ``tags`` (a list of `EDGES` objects, in
    pixels).

    Raises:
        BadForm: the type is unknown, or the request cannot be written.
    """
    try:
        return _FORMS[type](request, _quoted(callback_url)).encode("ascii")
    except KeyError as error:
        raise BadForm(f"no such task type or field: {error}") from None
    except (TypeError, AttributeError):
        raise BadForm("a field of the request has a wrong type") from None
    except UnicodeEncodeError:
        raise BadForm("the request holds text that is not valid Unicode") from None


def _quoted(text: object) -> str:
    """Percent-encode a value; nearly all are plain, and to see that costs a tenth."""
    if not isinstance(text, str):
        raise TypeError("not text")
    return text if _PLAIN.fullmatch(text) else quote_plus(text, _SAFE)


def _tagging(request: Mapping[str, object], callback: str) -> str:
    objects = _quoted(request.get("objects_to_tag", "brands"))
    return f"callback_url={callback}&objects_to_tag={objects}&image_url={_quoted(request['image_url'])}"


def _annotating(request: Mapping[str, object], callback: str) -> str:
    return "&".join(
        [
            f"callback_url={callback}",
            f"image_url={_quoted(request['image_url'])}",
            f"instruction={_quoted(request['instruction'])}",
            *(f"annotation_option={_quoted(option)}" for option in _each(request["annotation_option"])),
            *_tags(request["tags"]),
        ]
    )


def _each(value: object) -> Iterable[object]:
    if not isinstance(value, Iterable):
        raise TypeError("no list")
    return value


def _tags(tags: object) -> Iterator[str]:
    for index, tag in enumerate(_each(tags)):
        if not isinstance(tag, Mapping):
            raise TypeError("no object")
        for edge in EDGES:
            if edge in tag:
                yield f"tags[{index}][{edge}]={_quoted(str(tag[edge]))}"


_FORMS: Final[Mapping[str, Callable[[Mapping[str, object], str], str]]] = {
    "tagging": _tagging,
    "annotating": _annotating,
}


class Outcome(NamedTuple):
    """One create request, judged.

    ``status`` is None where no answer came; ``message`` never holds a callback address; ``retry_after`` is in
    seconds, where the API named a wait.
    """

    verdict: Verdict
    task: Task | None = None
    status: int | None = None
    message: str = ""
    retry_after: float | None = None


def judge(
    status: int, body: bytes, address: str, retry_after: str | None = None, date: str | None = None
) -> Outcome:
    """Judge a received, well-formed answer to the create request that carried ``address``.

    ``retry_after`` and ``date`` are the answer's headers of these names.
    """
    if 200 <= status < 300:
        return _judge_task(status, body, address)
    verdict = VERDICTS.get(status, Verdict.UNKNOWN)
    return Outcome(
        verdict, None, status, explain(status, body, secret_of(address)), asked_wait(retry_after, date)
    )


def _judge_task(status: int, body: bytes, address: str) -> Outcome:
    try:
        task = parse_task(decode(body))
    except (BadJson, BadTask) as error:
        return Outcome(Verdict.UNKNOWN, None, status, f"{UNREADABLE}: {error}")
    if task.callback_url and not _same(task.callback_url, address):
        return Outcome(Verdict.UNKNOWN, task, status, OTHER_ADDRESS)
    return Outcome(Verdict.CREATED, task, status)


def _same(shown: str, address: str) -> bool:
    """Whether two URLs are one address: the API may write the host in its own way,
    our segments it may not.
    """
    return shown == address or (find(address) is not None and find(shown) == find(address))


def explain(status: int, body: bytes, secret: str = "") -> str:
    """Say what a refusal means: our advice, then the API's own words, without ``secret`` or any mac."""
    advice, said = ADVICE.get(status, ""), words(body)
    if secret:
        said = re.sub(secret, "***", said, flags=re.IGNORECASE)
    text = f"{advice} ({said})" if advice and said else advice or said or "the API gave no reason"
    return masked(text)[:LONGEST_MESSAGE]


def words(body: bytes) -> str:
    """The API's own words in an error's body: its ``error`` field if there is one, else the text,
    on one line.
    """
    text = body[:_LONGEST_TEXT].decode("utf-8", "replace")
    try:
        value = decode(body)
    except BadJson:
        value = None
    said = value.get("error") if isinstance(value, dict) else None
    if isinstance(said, str):
        text = said[:_LONGEST_TEXT]
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def secret_of(address: str) -> str:
    """The part of an address that must not be shown: its mac,
    also where the API wrote the rest differently.
    """
    found = find(address)
    return found.mac if found else ""
