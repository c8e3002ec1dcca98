"""A real nginx with the documents' configuration, in a folder of its own, in front of a real receiver."""

import http.client
import os
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import trustme

from tests.e2e.support.stage import until
from tests.proof.system.readme import block
from tests.support.ports import free_port, listens
from tests.unit.callbacks.stage import JSON

HOST: Final = "labels.example.com"
MAIN: Final = """
daemon off;
user {user};
pid {folder}/pid;
error_log {folder}/main.log info;
worker_processes 2;
events {{ worker_connections 256; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/proxied;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""
"""Around the documents' block: as chatty as a site of its own may find it."""


class Proxy:
    """Where it listens, what it trusts, and where its logs are."""

    def __init__(self, folder: Path, behind: int) -> None:
        self.folder, self.port = folder, free_port()
        authority = trustme.CA()
        self.trust = ssl.create_default_context()
        authority.configure_trust(self.trust)
        pair = authority.issue_cert(HOST)
        pair.cert_chain_pems[0].write_to_path(folder / "chain.pem")
        pair.private_key_pem.write_to_path(folder / "key.pem")
        (folder / "site.conf").write_text(self._adjusted(block("nginx"), behind))
        user = "root" if os.geteuid() == 0 else "nobody"
        (folder / "nginx.conf").write_text(MAIN.format(folder=folder, user=user))

    def _adjusted(self, text: str, behind: int) -> str:
        """The documents' block with other ports and paths, and nothing else."""
        for old, new in (
            ("server 127.0.0.1:8080;", f"server 127.0.0.1:{behind};"),
            ("listen 443 ssl;", f"listen 127.0.0.1:{self.port} ssl;"),
            ("    listen [::]:443 ssl;\n", ""),
            (f"/etc/letsencrypt/live/{HOST}/fullchain.pem", f"{self.folder}/chain.pem"),
            (f"/etc/letsencrypt/live/{HOST}/privkey.pem", f"{self.folder}/key.pem"),
            ("/var/log/nginx/mwbatch.log", f"{self.folder}/site.log"),
        ):
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        return text

    def without(self, directive: str) -> None:
        """Take lines out of the configuration, for a test of what they are for."""
        site = self.folder / "site.conf"
        lines = site.read_text().splitlines(keepends=True)
        site.write_text("".join(line for line in lines if directive not in line))

    @contextmanager
    def running(self) -> Iterator[None]:
        """It listens for as long as the block runs."""
        words = ("nginx", "-p", str(self.folder), "-e", "main.log", "-c", str(self.folder / "nginx.conf"))
        checked = subprocess.run([*words, "-t"], capture_output=True, check=False)
        assert checked.returncode == 0, checked.stderr.decode()
        with subprocess.Popen(words) as started:
            try:
                until(lambda: listens(self.port))
                yield
            finally:
                started.terminate()

    def connect(self) -> http.client.HTTPSConnection:
        """A connection as the API makes it."""
        return Connection(HOST, self.port, context=self.trust, timeout=20)

    def post(self, path: str, body: bytes) -> int:
        """Post one callback on a connection of its own; the status of the answer."""
        connection = self.connect()
        connection.request("POST", path, body, JSON)
        status = connection.getresponse().status
        connection.close()
        return status


class Connection(http.client.HTTPSConnection):
    """Finds the host on this machine."""

    def connect(self) -> None:
        """Connect to loopback, and trust the certificate of the host's name only."""
        self.host = "127.0.0.1"
        http.client.HTTPConnection.connect(self)
        context: ssl.SSLContext = self._context  # type: ignore[attr-defined]  # the standard library's own
        self.sock = context.wrap_socket(self.sock, server_hostname=HOST)
