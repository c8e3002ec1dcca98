"""A handler on a socket of its own, with every limit set that aiohttp leaves open."""

import errno
import logging
import ssl
from http import HTTPStatus
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from mwbatch.callbacks.common.counts import Counts
from mwbatch.callbacks.common.limits import Limits
from mwbatch.callbacks.common.refusal import Reason
from mwbatch.callbacks.net.drain import Answer, InFlight
from mwbatch.callbacks.net.site import Site
from mwbatch.errors import UsageError

_LATE: Final = 0.1
"""Seconds for handlers that had their time in `InFlight.drain`: aiohttp waits twice as long,
then cancels them.
"""

_STRANGERS: Final = (HttpProcessingError, ConnectionError)
"""What strangers can cause as often as they like, and so must not fill the log."""

_log: Final = logging.getLogger("mwbatch.callbacks")


class Listener:
    """Answers every request by one handler;
    ``counts`` are told of what aiohttp turns away before that sees it.
    """

    def __init__(self, answer: Answer, limits: Limits, counts: Counts) -> None:
        self._in_flight = InFlight()
        self._runner = _runner(self._in_flight.watched(answer), limits, counts)
        self._limits, self._counts = limits, counts
        self.url = ""
        """Where it listens, once it does."""
        self.port = 0

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._runner.server.connections) if self._runner.server else 0

    async def open(
        self, host: str, port: int, *, flags: str = "--", tls: ssl.SSLContext | None = None
    ) -> None:
        """Listen; ``flags`` begins the names of the flags for host and port.

        Raises:
            UsageError: the port is taken, or the host is not ours.
        """
        await self._runner.setup()
        site = Site(self._runner, host, port, tls=tls, limits=self._limits, counts=self._counts)
        try:
            await site.start()
        except (OSError, UnicodeError) as error:  # the second of a host that can be none
            raise _cannot_listen(host, port, flags, error) from error
        self.url, self.port = site.name, site.port

    async def close(self) -> None:
        """Stop listening, close what idles, let what is in flight be answered."""
        for site in self._runner.sites:
            await site.stop()
        if self._runner.server:
            await self._in_flight.drain(self._runner.server.connections, self._limits.shutdown_seconds)
        await self._runner.cleanup()


class _Wordless(web.RequestHandler):
    """aiohttp's protocol, which answers what it cannot parse by quoting it, the address included:
    here by the status alone.
    """

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 (it quotes)
    ) -> web.StreamResponse:
        """Answer a request that cannot be served."""
        return super().handle_error(request, status, exc, HTTPStatus(status).phrase)


class _Server(web.Server):
    """Makes such a protocol for each connection."""

    def __call__(self) -> web.RequestHandler:
        """Make one."""
        return _Wordless(self, loop=self._loop, **self._kwargs)


def _runner(answer: Answer, limits: Limits, counts: Counts) -> web.ServerRunner:
    """RELIABILITY section 3: aiohttp's default for an idle connection is an hour,
    and its access log shows paths.

    There is one handler, so there is no application with a router, which would cost a fifth of each request.
    """
    server = _Server(
        answer,
        access_log=None,
        logger=_quiet(counts),
        keepalive_timeout=limits.keepalive_seconds,
        lingering_time=limits.lingering_seconds,
        max_line_size=limits.request_line,
        max_field_size=limits.header,
        max_headers=limits.headers,
        auto_decompress=False,
        handler_cancellation=False,
    )
    return web.ServerRunner(server, shutdown_timeout=_LATE)


def _quiet(counts: Counts) -> logging.Logger:
    """A logger for aiohttp, which logs what it cannot parse, the request line with its address included."""

    def without_address(record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        record.exc_info = None
        record.msg, record.args = "connection ended by %s", (type(error).__name__,)
        if isinstance(error, HttpProcessingError):
            counts.rejected[Reason.NOT_HTTP] += 1
        return error is not None and not isinstance(error, _STRANGERS)

    # its counts are one server's
    quiet = logging.Logger("mwbatch.callbacks.http", logging.DEBUG)  # noqa: LOG001
    quiet.parent = _log
    quiet.addFilter(without_address)
    return quiet


def _cannot_listen(host: str, port: int, flags: str, error: OSError | UnicodeError) -> UsageError:
    if isinstance(error, UnicodeError):
        return UsageError(
            f"cannot listen on {host}:{port}: no host has such a name; choose another {flags}host"
        )
    if error.errno == errno.EADDRINUSE:
        return UsageError(f"another process listens on {host}:{port}; choose another {flags}port")
    if error.errno == errno.EACCES:
        return UsageError(f"only root may listen on {host}:{port}; choose a {flags}port above 1023")
    return UsageError(f"cannot listen on {host}:{port}: {error.strerror}; choose another {flags}host")
