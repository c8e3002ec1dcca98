"""The one form in which an API is known, and which names are this machine's."""

import pytest
from yarl import URL

from mwbatch.core.urls.hosts import kin, known, names_host, origin, without_user
from mwbatch.errors import UsageError

FORMS = [
    "https://api.microwork.io",
    "https://API.microwork.io/",
    "HTTPS://api.microwork.io:443",
    "https://api.microwork.io./",
    " https://api.microwork.io//\n",
    "https://api.microwork.io/?",
]


@pytest.mark.parametrize("url", FORMS)
def test_one_origin(url: str) -> None:
    """Letter case, the default port, a slash or a dot at the end and blanks around make no other API."""
    assert origin(url) == "https://api.microwork.io"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://127.0.0.1:8900", "http://127.0.0.1:8900"),
        ("http://[::1]:8900/v2/", "http://[::1]:8900/v2"),
        ("http://[0:0:0:0:0:0:0:1]:80", "http://[::1]"),
        ("http://[::FFFF:127.0.0.1]:8900", "http://127.0.0.1:8900"),
        ("https://api.example.com:80/X/y%20z", "https://api.example.com:80/X/y%20z"),
        ("http://api.example.com:443", "http://api.example.com:443"),
        ("https://m\u00fcnchen.example", "https://xn--mnchen-3ya.example"),
        ("https://M\u00dcNCHEN.example.", "https://xn--mnchen-3ya.example"),
    ],
)
def test_an_origin(url: str, told: str) -> None:
    """Scheme, host, port and path tell APIs apart, and an origin is its own."""
    assert origin(url) == told == origin(told)


@pytest.mark.parametrize(
    "url", [*FORMS[:4], "http://[::1]:8900/v2/", "http://LOCALHOST:80", "http://x:80/a/"]
)
def test_what_older_versions_wrote(url: str) -> None:
    """An origin in a batch info of an older version, as the library for requests writes a URL,
    is the one of today.
    """
    assert known(str(URL(url)).rstrip("/")) == origin(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://[",
        "http://a:b",
        "",
        "ftp://x",
        "http://",
        "http://:80",
        "http://u:pw@x",
        "http://@x",
        "http://x?a",
        "http://x#a",
        "http://xn--/",
        "http://xn--a.test",
        "http://a..b",
        "http://a b/",
        "http://a%20b/",
        f"http://{'a' * 64}.test",
        f"http://{'a.' * 127}test",
    ],
)
def test_no_origin(url: str) -> None:
    """What is none is refused without quoting a password; in a batch info it stays what it is,
    and equals itself alone.
    """
    with pytest.raises(UsageError, match="MICROWORK_BASE_URL") as raised:
        origin(url)
    assert "pw" not in str(raised.value)
    assert known(url) == url


def test_a_host_that_cannot_be() -> None:
    """A name that has no form for DNS is refused."""
    with pytest.raises(UsageError, match="MICROWORK_BASE_URL"):
        origin("http://" + "\u00fc" * 80 + ".example")


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST.", "sim.localhost", "127.0.0.1", "127.8.8.8", "[::1]", "0.0.0.0", "[::]"]
)
def test_names_of_this_machine(host: str) -> None:
    """All names of this machine are compared as one, at one port; a batch tells them apart."""
    assert kin(f"http://{host}:8900/v2") == "http://localhost:8900/v2"
    assert kin(f"http://{host}:8901/v2") != kin("http://localhost:8900/v2")
    assert (known(f"http://{host}") == known("http://localhost")) is (host.rstrip(".").lower() == "localhost")


def test_a_host_elsewhere() -> None:
    """A host elsewhere has no kin but itself, whatever its path says."""
    assert kin("https://api.example.com/localhost") == "https://api.example.com/localhost"


@pytest.mark.parametrize(
    ("url", "has"),
    [
        ("https://hooks.example.com/x", True),
        ("http://[::1]:80", True),
        ("http://b_c.example", True),
        ("https://", False),
        ("https://xn--/", False),
        ("https://-:1@:2", False),
        ("http://[::1", False),
        ("https://a..b", False),
    ],
)
def test_which_urls_name_a_host(url: str, has: bool) -> None:
    """Only a name that can be looked up, or an IP address, is a host."""
    assert names_host(url) is has


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://example.com/a", "https://example.com/a"),
        ("https://me:secret@example.com", "…@example.com"),
        ("http://:secret@h@example.com", "…@example.com"),
        ("@example.com", "@example.com"),
    ],
)
def test_no_password_is_shown(url: str, shown: str) -> None:
    """What stands before the last ``@`` of a URL may be a password."""
    assert without_user(url) == shown
