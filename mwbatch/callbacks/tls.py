"""The certificate of a server, read again when its files change."""

import asyncio
import logging
import ssl
from pathlib import Path
from typing import Final, NoReturn

from mwbatch.errors import UsageError

CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2: forward secrecy, and no cipher block chaining (LUCKY13); TLS 1.3 has nothing else."""

Stamp = tuple[int, int, int, int] | None
"""What tells one content of a file from the next; None for a file that is not there."""

_log: Final = logging.getLogger("mwbatch.callbacks")


class Certificate:
    """A certificate chain and its key, in PEM files; the key may stand in the chain's file.

    ``context`` serves every connection; each handshake takes the pair that is the newest by then.
    """

    def __init__(self, chain: Path | None, key: Path | None) -> None:
        self._chain, self._key = _named(chain, key), key
        self._stamps = self._look()
        self.context = self._newest = _context(self._chain, key)
        # Not `load_cert_chain` on the context in use: where that fails half-way, the new chain stands with the old key.
        self.context.sni_callback = self._choose

    async def refresh(self) -> None:
        """Read the files again if they changed; what cannot be used is logged once, and the pair in use stays."""
        stamps = await asyncio.to_thread(self._look)
        if stamps == self._stamps:
            return
        self._stamps = stamps
        try:
            self._newest = await asyncio.to_thread(_context, self._chain, self._key)
        except UsageError as error:
            _log.error("the certificate in use stays: %s", error)
        else:
            _log.warning("certificate and key have changed: new connections get those in %s", self._chain)

    def _choose(self, connection: ssl.SSLObject | ssl.SSLSocket, _: str | None, __: ssl.SSLContext) -> None:
        """OpenSSL calls this in every handshake, also where the client names no server."""
        connection.context = self._newest

    def _look(self) -> tuple[Stamp, Stamp]:
        return _stamp(self._chain), _stamp(self._key or self._chain)


def _named(chain: Path | None, key: Path | None) -> Path:
    if chain is None:
        raise UsageError(f"the TLS key {key} needs its certificate: give it with --tls-cert")
    return chain


def _stamp(path: Path) -> Stamp:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino, stat.st_mtime_ns, stat.st_size


def _context(chain: Path, key: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    try:
        context.load_cert_chain(chain, key, password=_no_password)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            f"cannot use {chain} and {key or 'the key in it'} for TLS: {error.strerror or error}; "
            f"give PEM files with --tls-cert and --tls-key"
        ) from error
    return context


def _no_password() -> NoReturn:
    """OpenSSL would ask on the terminal, and the server would stand still."""
    raise UsageError("the TLS key is encrypted, and nobody is there to type its password; decrypt it first")
