"""A signature says for how long a URL may be fetched, never what is asked for."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.facts.digests import request_digest, stable_digest
from mwbatch.core.facts.kinds import Request
from mwbatch.core.urls.signed_urls import PROVIDERS, unsigned

PLAIN: Final = "https://pictures.example.com/shelf/1.jpg"
SIGNED: Final = {
    "S3": "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA{n}%2Fs3"
    "&X-Amz-Date=2026{n}Z&X-Amz-Expires=3600"
    "&X-Amz-SignedHeaders=host&X-Amz-Security-Token=t{n}&X-Amz-Signature=ab{n}",
    "GCS": "X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential=c{n}&X-Goog-Date=d{n}&X-Goog-Expires={n}"
    "&X-Goog-SignedHeaders=host&X-Goog-Signature=s{n}",
    "S3 of old": "AWSAccessKeyId=AKIA{n}&Expires=189345600{n}&x-amz-security-token=t{n}&Signature=a%2B{n}%3D",
    "GCS of old": "GoogleAccessId=me{n}%40x&Expires=189345600{n}&Signature=s{n}",
    "CloudFront": "Expires=189345600{n}&Signature=s{n}&Key-Pair-Id=K{n}",
    "CloudFront by policy": "Policy=p{n}&Signature=s{n}&Key-Pair-Id=K{n}&Hash-Algorithm=SHA256",
    "Azure": "sp=r&st=2026-0{n}&se=2027-0{n}&spr=https&sv=2024-11-0{n}&sr=b&sig=s{n}%3D",
    "Azure by delegation": "skoid=a{n}&sktid=b&skt=c{n}&ske=d{n}&sks=b&skv=e{n}"
    "&se=f{n}&sr=b&sp=r&sv=g{n}&sig=h{n}",
}
"""What each provider writes into a query; ``{n}`` differs from signature to signature."""

MEANING: Final = (
    "versionId=3",
    "generation=17",
    "snapshot=2026",
    "response-content-type=image%2Fpng",
    "width=80&height=60",
    "x-id=GetObject",
    "sv=2",
    "se=2027",
    "sig=abc",
    "Expires=17",
    "Policy=p",
    "Signature=s",
    "AWSAccessKeyId=AKIA",
    "X-Amz-Signature=ab",
    "X-Goog-Credential=c",
    "signature=a&key-pair-id=b",
    "",
    "&&=&a",
)
"""What no signature is, be it named like a part of one."""


@pytest.mark.parametrize("query", SIGNED.values(), ids=SIGNED)
def test_a_fresh_signature_asks_for_the_same(query: str) -> None:
    """Whoever signed it and whenever: what stays is the URL without a trace of the signature."""
    assert unsigned(f"{PLAIN}?{query.format(n=1)}") == unsigned(f"{PLAIN}?{query.format(n=2)}") == PLAIN


@pytest.mark.parametrize("meaning", MEANING)
def test_what_is_no_signature_keeps_its_meaning(meaning: str) -> None:
    """A parameter alone, or another one, is a part of what is asked for, to the byte."""
    assert unsigned(f"{PLAIN}?{meaning}") == f"{PLAIN}?{meaning}"


@pytest.mark.parametrize("query", SIGNED.values(), ids=SIGNED)
@pytest.mark.parametrize(
    "meaning", ["versionId=3", "generation=17", "snapshot=2026", "response-a=b", "w=1&w=2"]
)
def test_beside_a_signature_all_else_stays(query: str, meaning: str) -> None:
    """Wherever it stands: in front of the signature, behind it, and with a fragment."""
    signature = query.format(n=1)
    assert unsigned(f"{PLAIN}?{meaning}&{signature}#f") == f"{PLAIN}?{meaning}#f"
    assert unsigned(f"{PLAIN}?{signature}&{meaning}") == f"{PLAIN}?{meaning}"


def test_two_signatures_are_two_signatures() -> None:
    """A URL that a proxy signed once more loses both."""
    both = f"{SIGNED['S3'].format(n=1)}&{SIGNED['Azure'].format(n=2)}"
    assert unsigned(f"{PLAIN}?{both}") == PLAIN


def test_a_provider_is_known_in_any_letter_case_by_its_prefix_alone() -> None:
    """``x-amz-signature`` is S3's however it is written; ``SIG`` is nobody's."""
    assert unsigned(f"{PLAIN}?x-amz-credential=a&X-AMZ-SIGNATURE=b") == PLAIN
    assert unsigned(f"{PLAIN}?SIG=a&SV=b") == f"{PLAIN}?SIG=a&SV=b"


def test_the_user_may_call_more_volatile() -> None:
    """What is named goes, with a signature or without one; what is not named stays."""
    assert unsigned(f"{PLAIN}?token=a&v=1", ("token",)) == f"{PLAIN}?v=1"
    assert unsigned(f"{PLAIN}?token=a&sv=1&sig=b&v=1", ("token",)) == f"{PLAIN}?v=1"
    assert unsigned(f"{PLAIN}?tokens=a", ("token",)) == f"{PLAIN}?tokens=a"
    assert unsigned(PLAIN, ("token",)) == PLAIN


def test_every_provider_has_its_anchors_among_what_it_signs() -> None:
    """A signature leaves nothing of itself behind."""
    assert all(anchor <= one.signs for one in PROVIDERS for anchor in one.anchors)


@given(st.text("?&=#/%aXsig-AmzSvexpires", max_size=60), st.sampled_from([(), ("a", "s")]))
def test_it_is_idempotent_and_never_adds(tail: str, volatile: tuple[str, ...]) -> None:
    """What was taken out once has nothing more to take out, and what is left stood there in this order."""
    url = PLAIN + tail
    once = unsigned(url, volatile)
    assert unsigned(once, volatile) == once
    rest = iter(url)
    assert all(letter in rest for letter in once)


def test_the_stable_digest_is_that_of_the_request_without_its_signature() -> None:
    """Two signatures have one name, two pictures have two, and what is not signed has its old name."""
    first, second = (Request(image_url=f"{PLAIN}?{SIGNED['S3'].format(n=n)}") for n in (1, 2))
    assert stable_digest("tagging", first) == stable_digest("tagging", second)
    assert stable_digest("tagging", first) == request_digest("tagging", {"image_url": PLAIN})
    assert stable_digest("tagging", first) != stable_digest("annotating", first)
    assert first["image_url"].endswith("ab1")
