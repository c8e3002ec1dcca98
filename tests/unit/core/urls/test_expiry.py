"""When signed URLs expire."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.urls.expiry import SOON, Clock, Expiring, expires

AT = datetime(2026, 11, 30, 12, tzinfo=UTC)
EPOCH = int(AT.timestamp())


def policy(text: str) -> str:
    """A policy as CloudFront takes it in a URL."""
    return b64encode(text.encode()).decode().translate(str.maketrans("+=/", "-_~"))


S3 = (
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=k&X-Amz-Date=20261130T110000Z"
    "&X-Amz-Expires=3600&X-Amz-Signature=s"
)
POLICY = '{"Statement":[{"Resource":"r?>~","Condition":{"DateLessThan":{"AWS:EpochTime":%d}}}]}'
SIGNED = {
    "S3, version 4": S3,
    "S3, version 4, in small letters": S3.replace("X-Amz", "x-amz"),
    "S3, version 2": f"AWSAccessKeyId=k&Expires={EPOCH}&Signature=s",
    "GCS, version 4": S3.replace("Amz", "Goog"),
    "GCS, version 2": f"GoogleAccessId=me%40x&Expires={EPOCH}&Signature=s",
    "CloudFront": f"v=2&Expires={EPOCH}&Signature=s&Key-Pair-Id=k",
    "CloudFront with a policy": f"Policy={policy(POLICY % EPOCH)}&Signature=s&Key-Pair-Id=k",
    "Azure": "sv=2024-01-01&sr=b&st=2026-11-01&se=2026-11-30T12%3A00%3A00Z&sig=s",
    "Azure, by its key": "sv=2024-01-01&se=2026-12-30&ske=2026-11-30T12:00Z&sig=s",
}


@pytest.mark.parametrize("query", SIGNED.values(), ids=SIGNED)
def test_every_provider(query: str) -> None:
    """The moment is read as each provider writes it, wherever it stands in the query."""
    assert expires(f"https://b.example/a.jpg?{query}") == AT
    assert expires(f"https://b.example/a.jpg?x=1&{query}#y") == AT


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example/a.jpg",
        "https://a.example/a.jpg?Expires=1",
        f"https://a.example/a.jpg?x=1#Expires={EPOCH}&Signature=s&Key-Pair-Id=k",
        "https://a.example/a.jpg?se=2020-01-01&size=2",
        "https://a.example/a.jpg?X-Amz-Expires=3600&X-Amz-Date=20261130T110000Z",
        "https://a.example/a.jpg?sv=1&sig=s&se=tomorrow",
        "https://a.example/a.jpg?Signature=s&Key-Pair-Id=k&Expires=soon",
        "https://a.example/a.jpg?Signature=s&Key-Pair-Id=k&Expires=999999999999",
        "https://a.example/a.jpg?Signature=s&Key-Pair-Id=k&Policy=%%%",
        *(
            f"https://a.example/a.jpg?Signature=s&Key-Pair-Id=k&Policy={policy(text)}"
            for text in ("[]", "{}", '{"Statement":{"Condition":1}}', "nothing")
        ),
        f"https://a.example/a.jpg?{S3.replace('3600', '-1')}",
        f"https://a.example/a.jpg?{S3.replace('3600', '999999999999')}",
        f"https://a.example/a.jpg?{S3.replace('20261130', '2026-')}",
    ],
)
def test_what_does_not_say(url: str) -> None:
    """Without a provider's signature a parameter means what its owner likes;
    and what cannot be read says nothing.
    """
    assert expires(url) is None


def test_the_earliest_counts() -> None:
    """Of several ends, of one signature or of two, the first one is the end."""
    later = policy(POLICY % (EPOCH + 9))
    assert expires(f"https://a.example/a?Expires={EPOCH}&Policy={later}&Signature=s&Key-Pair-Id=k") == AT
    assert expires(f"https://a.example/a?{S3}&Expires={EPOCH + 9}&Signature=s&Key-Pair-Id=k") == AT


@given(st.text(), st.sampled_from(["", *SIGNED.values()]))
def test_nothing_raises(text: str, query: str) -> None:
    """Whatever a URL is, it expires at some moment or it does not say."""
    expires(f"https://a.example/a?{query}&{text}")
    expires(text)
    expires(f"https://a.example/a?Signature=s&Key-Pair-Id=k&Policy={text}&Expires={text}&se={text}")


def ending(at: datetime) -> str:
    return f"https://a.example/a?Signature=s&Key-Pair-Id=k&Expires={int(at.timestamp())}"


def test_soon_and_over() -> None:
    """What has expired is counted and said; what will within a day is counted,
    with the first moment of all.
    """
    found, second = Expiring(Clock(AT, "the API's clock")), timedelta(seconds=1)
    moments = [AT - timedelta(days=3), AT, AT + 2 * second, AT + second, AT + SOON, AT + SOON + second]
    for url in map(ending, moments):
        found.count(url)
    assert (found.expired, found.soon, found.first) == (2, 3, AT + second)
    assert found.text() == [
        "the URLs of 2 pictures expired (by the API's clock, 2026-11-30T12:00:00Z)",
        (
            "warning: the URLs of 3 pictures will expire within 24 hours, the first at 2026-11-30T12:00:01Z "
            "(by the API's clock, 2026-11-30T12:00:00Z): tasks may take days, so sign them for longer"
        ),
    ]
    assert found.json() == {"expired_urls": 2, "expiring_urls": 3, "first_expiry": "2026-11-30T12:00:01Z"}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 seconds"), (1, "1 second"), (60, "1 minute"), (7200, "2 hours"), (86_400_000, "1,000 days")],
)
def test_how_long_ago(seconds: int, words: str) -> None:
    """A mistake names the moment, how long ago it was, and whose clock says so."""
    found = Expiring(Clock(AT, "the API's clock"))
    told = found.complaint(ending(AT - timedelta(seconds=seconds)))
    assert told.startswith("its signature expired at ")
    assert f", {words} ago by the API's clock" in told
    assert found.complaint(ending(AT + timedelta(seconds=1))) == found.complaint("https://a/1") == ""


def test_nothing_to_say() -> None:
    """Where no URL expires nothing is said, and one is one."""
    found = Expiring(Clock(AT, "this machine's clock"))
    found.count("https://a/1")
    assert (found.text(), found.json()["first_expiry"]) == ([], None)
    found.count(ending(AT))
    assert found.text() == ["the URL of 1 picture expired (by this machine's clock, 2026-11-30T12:00:00Z)"]
