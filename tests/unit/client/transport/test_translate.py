"""No exception class of aiohttp is missed, and each proves what the table says."""

import asyncio
import inspect
import ssl
from unittest.mock import Mock

import aiohttp
import pytest

from mwbatch.client import Client
from mwbatch.client.transport.translate import translate
from mwbatch.errors import Unsent, Unsure
from tests.support.ports import free_port

UNSENT = {
    "ClientConnectorError",
    "ClientConnectorDNSError",
    "ClientConnectorSSLError",
    "ClientConnectorCertificateError",
    "ClientHttpProxyError",
    "ClientProxyConnectionError",
    "ClientSSLError",
    "UnixClientConnectorError",
    "ConnectionTimeoutError",
    "InvalidURL",
    "InvalidUrlClientError",
}
"""What is raised before a connection stands; every other name means that the request may have arrived."""

CLASSES = {
    kind
    for kind in (*vars(aiohttp).values(), *vars(aiohttp.client_exceptions).values())
    if inspect.isclass(kind) and issubclass(kind, Exception) and kind.__module__.startswith("aiohttp")
}


def blank(kind: type[Exception]) -> Exception:
    """An instance without the arguments that each class wants: only its class may matter."""
    error = kind.__new__(kind)
    error.__dict__.update(
        _conn_key=Mock(),
        _os_error=OSError(1, "no"),
        _certificate_error=ssl.CertificateError(),
        _path="",
        status=400,
        _description="",
        _url="",
    )
    error.__dict__.update(message="", request_info=Mock(), history=())
    error.args = ("no", "no")
    return error


@pytest.mark.parametrize("kind", sorted(CLASSES, key=repr))
def test_each_class_of_aiohttp_is_translated(kind: type[Exception]) -> None:
    """Only a failure to connect is Unsent; an exception that carries a status is not,
    but for a proxy's that made no tunnel.
    """
    expected = Unsent if kind.__name__ in UNSENT else Unsure
    assert type(translate(blank(kind))) is expected


def test_the_table_names_real_classes() -> None:
    """A class that aiohttp renames must be looked at again."""
    assert {kind.__name__ for kind in CLASSES} >= UNSENT


@pytest.mark.parametrize(
    "error",
    [
        TimeoutError(),
        ConnectionResetError(),
        BrokenPipeError(),
        OSError(111, "refused"),
        asyncio.CancelledError(),
    ],
)
def test_what_is_not_aiohttps_proves_nothing(error: BaseException) -> None:
    """Plain OSErrors and time-outs may come after the request had left."""
    assert type(translate(error)) is Unsure


def test_what_was_on_the_wire_is_not_quoted() -> None:
    """The words of an error after sending stay behind: they may hold an address."""
    assert "secret" not in str(translate(aiohttp.ClientPayloadError("secret")))


async def test_no_connection_is_said_in_words() -> None:
    """Where no connection is made people read where to and why, and nothing of the library that tried."""
    port = free_port()
    async with Client("key", f"http://127.0.0.1:{port}", tries=1) as client:
        with pytest.raises(Unsent) as raised:
            await client.list_page()
    assert str(raised.value) == f"no connection to the API at 127.0.0.1:{port}: Connection refused"
