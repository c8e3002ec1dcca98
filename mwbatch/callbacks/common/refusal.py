"""Every answer but 200: why, with which status, and when to call again.

A wrong address is answered exactly like a route that does not exist. 410 is never sent, since senders disable
the endpoint for it, and trouble of our own is 503: the API calls again for 24 hours.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from mwbatch.errors import DiskFull, StoreError


class Reason(StrEnum):
    """Why a request was not answered 200: a closed set, fit for a metric's label."""

    UNKNOWN = "unknown"
    """No route, or an address that none of our keys signed."""
    METHOD = "method"
    ENCODING = "encoding"
    NO_LENGTH = "no_length"
    TOO_LARGE = "too_large"
    SLOW = "slow"
    CUT = "cut"
    """The body broke off, or its chunks were malformed."""
    EXPECTATION = "expectation"
    NOT_HTTP = "not_http"
    """aiohttp could not parse the request, and answered 400 itself."""
    TLS = "tls"
    """The handshake failed, or did not come: nothing could be answered."""
    NOT_JSON = "not_json"
    NOT_TASK = "not_task"
    TOO_MANY = "too_many"
    """More tasks of one attempt, or answers of one task, than are stored."""
    OVERLOADED = "overloaded"
    DISK_FULL = "disk_full"
    BROKEN = "broken"
    """The disk failed for good, or our own bug: nothing was stored."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Status, the words of the body, and seconds until the sender may call again."""

    status: int
    words: str
    retry_after: int | None = None


ANSWERS: Final[Mapping[Reason, Refusal]] = {
    # The words of aiohttp's own 404: nothing tells a wrong address from a path that nobody routes.
    Reason.UNKNOWN: Refusal(404, "404: Not Found"),
    Reason.METHOD: Refusal(405, "405: only POST"),
    Reason.ENCODING: Refusal(415, "415: no Content-Encoding but gzip"),
    Reason.NO_LENGTH: Refusal(411, "411: a body needs a Content-Length or chunks"),
    Reason.TOO_LARGE: Refusal(413, "413: the body is too large"),
    Reason.SLOW: Refusal(408, "408: the body came too slowly"),
    Reason.CUT: Refusal(400, "400: the body broke off"),
    Reason.EXPECTATION: Refusal(417, "417: only 100-continue"),
    Reason.NOT_HTTP: Refusal(400, "400: not HTTP"),
    Reason.TLS: Refusal(0, "nothing, since their TLS handshakes fail: does the API trust the certificate?"),
    Reason.NOT_JSON: Refusal(400, "400: not strict UTF-8 JSON"),
    Reason.NOT_TASK: Refusal(400, "400: no task_id"),
    Reason.TOO_MANY: Refusal(422, "422: more tasks or answers than one address has"),
    Reason.OVERLOADED: Refusal(503, "503: busy", retry_after=60),
    Reason.DISK_FULL: Refusal(503, "503: no space", retry_after=300),
    Reason.BROKEN: Refusal(503, "503: cannot store", retry_after=60),
}


class Rejected(Exception):
    """This request is not answered 200, and nothing of it was stored."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(reason)


class Emptied(Rejected):
    """Somebody has taken the body before us, and nobody can have it any more."""

    words = (
        "a middleware has taken the body and left nothing: answering 503; let it use request.read(), which "
        "keeps it"
    )

    def __init__(self) -> None:
        super().__init__(Reason.BROKEN)


class Reply(NamedTuple):
    """What to answer a request: status, headers and body, as any framework takes them."""

    status: int
    headers: Mapping[str, str]
    body: bytes


STORED: Final = Reply(200, {}, b"")


def refused(reason: Reason, words: str | None = None) -> Reply:
    """The answer to what is refused; ``words`` where other ones than those of the table."""
    answer = ANSWERS[reason]
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    if answer.retry_after is not None:
        headers["Retry-After"] = str(answer.retry_after)
    if reason is Reason.METHOD:
        headers["Allow"] = "POST"
    if reason in (Reason.SLOW, Reason.CUT):  # what else comes belongs to this body
        headers["Connection"] = "close"
    return Reply(answer.status, headers, (words or answer.words).encode())


def rejected_by(error: StoreError) -> Rejected:
    """What the failure of a store means to the sender."""
    return Rejected(Reason.DISK_FULL if isinstance(error, DiskFull) else Reason.BROKEN)
