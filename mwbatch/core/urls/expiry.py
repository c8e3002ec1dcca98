"""When signed URLs of pictures expire: what each provider says in the query,
and what that means at a given moment.
"""

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote

from mwbatch.core.codec.json_codec import BadJson, Json, decode
from mwbatch.core.codec.times import moment
from mwbatch.core.urls.signed_urls import AZURE, GCS, QUERY, S3, signers

SOON: Final = timedelta(hours=24)
"""Tasks take minutes to days: what expires sooner than this may do so before somebody has looked."""

_SECONDS: Final = re.compile(r"[0-9]{1,12}").fullmatch
_FROM_CLOUDFRONT: Final = str.maketrans("-_~", "+=/")


@dataclass(frozen=True, slots=True)
class Clock:
    """A moment, and whose clock shows it, in words."""

    now: datetime
    whose: str


@dataclass(slots=True)
class Expiring:
    """Counts URLs that have ``expired`` by a clock, and those that will ``soon``,
    the ``first`` of them when.
    """

    clock: Clock
    expired: int = 0
    soon: int = 0
    first: datetime | None = None

    def count(self, url: str) -> None:
        """Take in the URL of a picture."""
        end, now = expires(url), self.clock.now
        if end is None or end - now > SOON:
            return
        if end <= now:
            self.expired += 1
            return
        self.soon += 1
        self.first = min(end, self.first or end)

    def complaint(self, url: str) -> str:
        """What is wrong with the URL of a picture that has expired; nothing for all others."""
        end, now = expires(url), self.clock.now
        if end is None or end > now:
            return ""
        return (
            f"its signature expired at {_shown(end)}, {_ago(now - end)} ago by {self.clock.whose}: nobody "
            "could see the picture (sign the URL anew)"
        )

    def text(self) -> list[str]:
        """What people should know of all of them, a line each."""
        at = f"by {self.clock.whose}, {_shown(self.clock.now)}"
        lines = []
        if self.expired:
            lines.append(f"{_urls(self.expired)} expired ({at})")
        if self.soon and self.first:
            lines.append(
                f"warning: {_urls(self.soon)} will expire within 24 hours, the first at {_shown(self.first)} "
                f"({at}): tasks may take days, so sign them for longer"
            )
        return lines

    def json(self) -> dict[str, object]:
        """The same for scripts."""
        return {
            "expired_urls": self.expired,
            "expiring_urls": self.soon,
            "first_expiry": _shown(self.first) if self.first else None,
        }


@lru_cache(maxsize=8)  # it is asked of one URL several times running
def expires(url: str) -> datetime | None:
    """When the signature of a URL expires, the earliest of all;
    None where it is not signed or does not say.
    """
    if "?" not in url:
        return None
    parts = url.partition("#")[0].partition("?")[2].split("&")
    read = _ends(tuple([part.partition("=")[0] for part in parts]))
    ends = [end for way, places in read if (end := way(*[parts[n].partition("=")[2] for n in places]))]
    return min(ends, default=None)


@lru_cache(maxsize=256)  # the URLs of a manifest are signed alike, tens of thousands of times
def _ends(names: tuple[str, ...]) -> list[tuple[Callable[..., datetime | None], list[int]]]:
    """How a URL says when it ends whose query has parameters of these names: ways to read it,
    each with the places to read.
    """
    known = [name.lower() if name[:2] in ("X-", "x-") else name for name in names]
    return [
        (way, [known.index(name) for name in told])
        for provider in signers(names)
        for way, *told in _WAYS[provider.name]
        if all(name in known for name in told)
    ]


@lru_cache(maxsize=1024)
def _after(date: str, seconds: str) -> datetime | None:
    """A number of seconds after a time in the basic form of ISO 8601; many files are signed in one second."""
    begun = moment(unquote(date))
    if begun is None or not _SECONDS(seconds):
        return None
    try:
        return begun + timedelta(seconds=int(seconds))
    except OverflowError:
        return None


def _at(seconds: str) -> datetime | None:
    """A number of seconds since the epoch."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC) if _SECONDS(seconds) else None
    except (ValueError, OverflowError, OSError):
        return None


def _by_policy(text: str) -> datetime | None:
    """Where CloudFront's policy, JSON in base64 with letters of its own, sets the end."""
    try:
        policy = decode(b64decode(unquote(text).translate(_FROM_CLOUDFRONT)))
    except (BadJson, Error, ValueError):
        return None
    return min((end for end in map(_at, _epoch_times(policy)) if end), default=None)


def _epoch_times(policy: Json) -> list[str]:
    statements = policy.get("Statement") if isinstance(policy, dict) else None
    times = []
    for statement in statements if isinstance(statements, list) else [statements]:
        found = statement
        for name in ("Condition", "DateLessThan", "AWS:EpochTime"):
            found = found.get(name) if isinstance(found, dict) else None
        times.append(str(found))
    return times


def _iso(text: str) -> datetime | None:
    return moment(unquote(text))


_WAYS: Final[dict[str, list[tuple[Any, ...]]]] = {
    S3.name: [(_after, "x-amz-date", "x-amz-expires")],
    GCS.name: [(_after, "x-goog-date", "x-goog-expires")],
    QUERY.name: [(_at, "Expires"), (_by_policy, "Policy")],
    AZURE.name: [(_iso, "se"), (_iso, "ske")],  # with itself, or with the key that it was made with
}
"""For each provider the ways to read the end of a signature,
each with the names of the parameters that it reads.
"""


def _shown(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


def _ago(time: timedelta) -> str:
    """A length of time in the greatest unit that it fills."""
    seconds = int(time.total_seconds())
    for unit, size in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            return f"{seconds // size:,} {unit}{'' if seconds // size == 1 else 's'}"
    return f"{seconds} second{'' if seconds == 1 else 's'}"


def _urls(count: int) -> str:
    return "the URL of 1 picture" if count == 1 else f"the URLs of {count:,} pictures"
