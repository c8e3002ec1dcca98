"""The certificate of a server, read again when its files change."""

import logging
import ssl
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, NoReturn

from mwbatch.callbacks.common.troubles import Troubles
from mwbatch.errors import UsageError
from mwbatch.journal.files.closing import in_thread
from mwbatch.journal.files.disk import Mark

CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2: forward secrecy, and no cipher block chaining (LUCKY13); TLS 1.3 has nothing else."""

DAY: Final = 86_400
SOON: Final = 14
"""Days before its end from which a certificate is told of: most are renewed a month before."""

_ANY_TIME: Final = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which `ssl` does not name: to read when a certificate ends,
not to judge it.
"""

_log: Final = logging.getLogger("mwbatch.callbacks")


class Certificate:
    """A certificate chain and its key, in PEM files; the key may stand in the chain's file.

    ``context`` serves every connection; each handshake takes the pair that is the newest by then.
    """

    def __init__(
        self,
        chain: Path | None,
        key: Path | None,
        troubles: Troubles | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._chain, self._key = _named(chain, key), key
        self._troubles, self._clock = troubles or Troubles(), clock
        self._stamps = self._look()
        self.context = self._newest = _context(self._chain, key)
        # Not `load_cert_chain` on the context in use: where that fails half-way,
        # the new chain stands with the old key.
        self.context.sni_callback = self._choose
        self._ends = ends(self.context, self._chain)
        self._warn()

    @property
    def seconds_left(self) -> float:
        """Until the certificate that new connections get ends; below 0 once it has."""
        return self._ends - self._clock()

    async def refresh(self) -> None:
        """Read the files again if they changed; what cannot be used is logged once,
        and the pair in use stays.
        """
        stamps = await in_thread(self._look)
        if stamps != self._stamps:
            self._stamps = stamps
            await self._renew()
        self._warn()

    async def _renew(self) -> None:
        try:
            newest = await in_thread(_context, self._chain, self._key)
            self._ends = await in_thread(ends, newest, self._chain)
            self._newest = newest
        except UsageError as error:
            self._troubles.begin("certificate", f"the certificate in use stays: {error}", str(error))
        else:
            self._troubles.end("certificate", f"the certificate in {self._chain} can be used again")
            _log.warning("certificate and key have changed: new connections get those in %s", self._chain)

    def _warn(self) -> None:
        """Say that the certificate ends soon, that it has ended, and that it was renewed: each once."""
        days = self.seconds_left / DAY
        if days < 0:
            words = (
                f"the certificate in {self._chain} has expired: whoever checks it brings no callback; "
                "renew it"
            )
            self._troubles.begin("expiry", words, "expired")
        elif days < SOON:
            words = f"the certificate in {self._chain} ends in {days:.1f} days: renew it"
            self._troubles.begin("expiry", words, "soon", logging.WARNING)
        else:
            self._troubles.end("expiry", f"the certificate in {self._chain} is good for {days:.0f} days")

    def _choose(self, connection: ssl.SSLObject | ssl.SSLSocket, _: str | None, __: ssl.SSLContext) -> None:
        """OpenSSL calls this in every handshake, also where the client names no server."""
        connection.context = self._newest

    def _look(self) -> tuple[Mark | None, Mark | None]:
        return Mark.of(self._chain), Mark.of(self._key or self._chain)


def _named(chain: Path | None, key: Path | None) -> Path:
    if chain is None:
        raise UsageError(f"the TLS key {key} needs its certificate: give it with --tls-cert")
    return chain


def _check_file(path: Path) -> None:
    """Refuse what OpenSSL would wait for, or read without end; raises OSError where it is not there."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        what = "a pipe" if stat.S_ISFIFO(mode) else "no file"
        raise UsageError(f"{path} is {what}, and is read more than once: keep it in a file")


def _context(chain: Path, key: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    try:
        for path in {chain, key or chain}:
            _check_file(path)
        context.load_cert_chain(chain, key, password=_no_password)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            f"cannot use {chain} and {key or 'the key in it'} for TLS: {error.strerror or error}; "
            f"give PEM files with --tls-cert and --tls-key"
        ) from error
    return context


def ends(shown: ssl.SSLContext, chain: Path) -> float:
    """When the certificate ends that a server shows, the first in ``chain``, in seconds since the epoch.

    It is asked in a handshake in memory: nothing public of `ssl` reads a certificate that is no authority's.
    """
    asking = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    asking.check_hostname = False
    asking.load_verify_locations(chain)
    asking.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    asking.verify_flags |= ssl.VerifyFlags(_ANY_TIME)
    one, other = ssl.MemoryBIO(), ssl.MemoryBIO()
    client, server = asking.wrap_bio(other, one), shown.wrap_bio(one, other, server_side=True)
    try:
        for side in (client, server) * 3:
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
        found = client.getpeercert()
    except (ssl.SSLError, ValueError) as error:
        raise UsageError(f"cannot read when the certificate in {chain} ends: {error}") from error
    assert found is not None
    return float(ssl.cert_time_to_seconds(str(found["notAfter"])))


def _no_password() -> NoReturn:
    """OpenSSL would ask on the terminal, and the server would stand still."""
    raise UsageError("the TLS key is encrypted, and nobody is there to type its password; decrypt it first")
