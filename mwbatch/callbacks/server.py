"""The receiver on a socket of its own, with every limit that aiohttp leaves open set."""

import errno
import logging
import ssl
from pathlib import Path
from typing import Final, Self

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from mwbatch.callbacks.counts import Counts
from mwbatch.callbacks.limits import LIMITS, Limits
from mwbatch.callbacks.receiver import RECEIVER, OnStored, Receiver, application
from mwbatch.callbacks.refusal import Reason
from mwbatch.callbacks.site import Site
from mwbatch.errors import StoreError, UsageError
from mwbatch.journal.disk import DISK, Disk
from mwbatch.journal.home import Home

_log: Final = logging.getLogger("mwbatch.callbacks")


class Running:
    """A receiver that listens; an async context manager that closes it.

    ``url`` is the callback base of a sender on this machine, ``port`` the port that was chosen.
    """

    def __init__(self, runner: web.AppRunner, site: Site, receiver: Receiver) -> None:
        self._runner, self._receiver = runner, receiver
        self.url, self.port = site.name, site.port

    @property
    def counts(self) -> Counts:
        """What the receiver has done so far."""
        return self._receiver.counts

    @property
    def failure(self) -> StoreError | None:
        """The first error after which a journal writes nothing any more: time to end, with its exit code.

        Ask once more after closing, which may fail too.
        """
        return self._receiver.failure

    async def close(self) -> None:
        """Stop listening, let what is in flight be answered, then close the journals."""
        await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def serve(
    home: Home,
    host: str,
    port: int,
    *,
    tls_cert: Path | None = None,
    tls_key: Path | None = None,
    limits: Limits = LIMITS,
    on_stored: OnStored | None = None,
    disk: Disk = DISK,
) -> Running:
    """Listen for callbacks of every batch in ``home``; port 0 lets the kernel choose.

    ``tls_cert`` is a PEM chain, ``tls_key`` its key, unless that stands in the same file.

    Raises:
        UsageError: the port is taken, the host is not ours, or keys or certificate are unusable.
        StoreError: a batch of the home cannot be read.
    """
    tls = _tls(tls_cert, tls_key) if tls_cert or tls_key else None
    app = application(home, limits=limits, on_stored=on_stored, disk=disk)
    receiver = app[RECEIVER]
    runner = _runner(app, limits, receiver.counts)
    try:
        await runner.setup()
        site = Site(runner, host, port, tls=tls, limits=limits, counts=receiver.counts)
        await site.start()
    except OSError as error:
        await runner.cleanup()
        raise _cannot_listen(host, port, error) from error
    except BaseException:
        await runner.cleanup()
        raise
    return Running(runner, site, receiver)


def _runner(app: web.Application, limits: Limits, counts: Counts) -> web.AppRunner:
    """RELIABILITY section 3: aiohttp's default for an idle connection is an hour, and its access log shows paths."""
    return web.AppRunner(
        app,
        access_log=None,
        logger=_quiet(counts),
        keepalive_timeout=limits.keepalive_seconds,
        lingering_time=limits.lingering_seconds,
        max_line_size=limits.request_line,
        max_field_size=limits.header,
        max_headers=limits.headers,
        auto_decompress=False,
        handler_cancellation=False,
        shutdown_timeout=limits.shutdown_seconds,
    )


def _quiet(counts: Counts) -> logging.Logger:
    """A logger for aiohttp, which logs what it cannot parse, the request line with its address included."""

    def without_address(record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        record.exc_info = None
        record.msg, record.args = "connection ended by %s", (type(error).__name__,)
        if isinstance(error, HttpProcessingError):
            counts.rejected[Reason.NOT_HTTP] += 1
        return error is not None and not isinstance(error, HttpProcessingError)

    quiet = logging.Logger("mwbatch.callbacks.http", logging.DEBUG)  # noqa: LOG001 (its counts are one server's)
    quiet.parent = _log
    quiet.addFilter(without_address)
    return quiet


def _tls(cert: Path | None, key: Path | None) -> ssl.SSLContext:
    if cert is None:
        raise UsageError(f"the TLS key {key} needs its certificate: give it with --tls-cert")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(cert, key)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            f"cannot use {cert} and {key or 'the key in it'} for TLS: {error.strerror or error}; "
            f"give PEM files with --tls-cert and --tls-key"
        ) from error
    return context


def _cannot_listen(host: str, port: int, error: OSError) -> UsageError:
    if error.errno == errno.EADDRINUSE:
        return UsageError(f"another process listens on {host}:{port}; choose another --port")
    if error.errno == errno.EACCES:
        return UsageError(f"only root may listen on {host}:{port}; choose a --port above 1023")
    return UsageError(f"cannot listen on {host}:{port}: {error.strerror}; choose another --host")
