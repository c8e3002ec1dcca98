"""Signed URLs: which part of one says what is asked for, and which only that it may be fetched for a while.

A provider's parameters are a signature where its anchors stand together, and then all of them are; alone each
keeps its meaning, as does everything else in the query (``versionId``, ``generation``, ``snapshot``,
``response-*`` …). Sources: AWS Signature Version 4 and 2 for S3, GCS signed URLs (V4 and V2), CloudFront
signed URLs, Azure shared access signatures.
"""

import re
from collections.abc import Collection, Set
from functools import lru_cache
from typing import Final, NamedTuple


class Provider(NamedTuple):
    """Whose signature it is: one of each set of ``anchors`` must stand in a query;
    ``signs`` are its parameters.

    What begins with ``x-`` is known in any letter case; all other names as they are spelled, since others use
    them too.
    """

    name: str
    anchors: tuple[Set[str], ...]
    signs: Set[str]


def _family(prefix: str, *names: str) -> frozenset[str]:
    return frozenset(prefix + name for name in names)


_V4: Final = ("algorithm", "credential", "date", "expires", "signedheaders", "signature", "content-sha256")

S3: Final = Provider(
    "S3",
    (frozenset({"x-amz-signature"}), frozenset({"x-amz-credential"})),
    _family("x-amz-", *_V4, "security-token"),
)
GCS: Final = Provider(
    "GCS", (frozenset({"x-goog-signature"}), frozenset({"x-goog-credential"})), _family("x-goog-", *_V4)
)
QUERY: Final = Provider(
    "S3, GCS or CloudFront",
    (frozenset({"Signature"}), frozenset({"AWSAccessKeyId", "GoogleAccessId", "Key-Pair-Id"})),
    frozenset(
        {
            *("Signature", "AWSAccessKeyId", "GoogleAccessId", "Key-Pair-Id", "Expires", "Policy"),
            *("Hash-Algorithm", "x-amz-security-token"),
        }
    ),
)
AZURE: Final = Provider(
    "Azure",
    (frozenset({"sig"}), frozenset({"sv"})),
    frozenset(
        {
            *("sig", "sv", "se", "sp", "st", "sr", "spr", "skoid", "sktid", "skt", "ske", "sks", "skv"),
            *("sip", "si", "ss", "srt", "ses", "sdd", "saoid", "suoid", "scid"),
        }
    ),
)
PROVIDERS: Final = (S3, GCS, QUERY, AZURE)

_MAY_BE_SIGNED: Final = re.compile(
    r"[?&](?:x-amz-signature|x-goog-signature|signature|sig)=", re.IGNORECASE
).search


@lru_cache(maxsize=256)  # the URLs of a manifest are signed alike, tens of thousands of times
def signers(names: tuple[str, ...]) -> tuple[Provider, ...]:
    """Who signed a URL whose query has parameters of these names; nearly always nobody, or one."""
    there = frozenset(map(_known, names))
    return tuple(one for one in PROVIDERS if all(anchor & there for anchor in one.anchors))


def unsigned(url: str, volatile: Collection[str] = ()) -> str:
    """The URL without its signature, and without the parameters that the user calls ``volatile``:
    what stays the same.

    Everything else stands as it is, byte for byte; nearly all URLs are given back unlooked at.
    """
    if "?" not in url or not (volatile or _MAY_BE_SIGNED(url)):
        return url
    head, mark, fragment = url.partition("#")
    path, _, query = head.partition("?")
    parts = query.split("&")
    names = [part.partition("=")[0] for part in parts]
    drops = _signing(tuple(names)).union(volatile)
    kept = [part for part, name in zip(parts, names, strict=True) if name not in drops]
    if len(kept) == len(parts):
        return url
    return f"{path}{'?' if kept else ''}{'&'.join(kept)}{mark}{fragment}"


@lru_cache(maxsize=256)
def _signing(names: tuple[str, ...]) -> frozenset[str]:
    """Those of the names that belong to a signature."""
    signs = frozenset[str]().union(*(one.signs for one in signers(names)))
    return frozenset(name for name in names if _known(name) in signs)


def _known(name: str) -> str:
    """The name of a parameter as a provider has it:
    what is prefixed is told apart from all else in any letter case.
    """
    return name.lower() if name[:2] in ("X-", "x-") else name
