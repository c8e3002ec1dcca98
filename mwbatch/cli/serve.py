"""`mwbatch serve-callbacks` and `mwbatch run`: the two that receive."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mwbatch import settings
from mwbatch.cli.program import Manner, Result, perform
from mwbatch.cli.submit import (
    AddOption,
    BatchOption,
    DuplicatesOption,
    KeepGoingOption,
    MaxCostOption,
    MaxTasksOption,
    PriceOption,
    wishes_of,
)
from mwbatch.cli.wiring import checked_settle, open_client, open_home

if TYPE_CHECKING:
    from mwbatch.callbacks.server import Running
    from mwbatch.commands.desk import Desk

HostOption = Annotated[
    str, typer.Option("--host", help="The address to listen on; 0.0.0.0 opens it to the world.")
]
PortOption = Annotated[
    int, typer.Option("--port", min=0, max=65535, help="The port to listen on; 0 chooses one.")
]
CertOption = Annotated[
    Path | None, typer.Option("--tls-cert", help="A certificate chain (PEM), to serve https.")
]
TlsKeyOption = Annotated[Path | None, typer.Option("--tls-key", help="The certificate's private key (PEM).")]


def serve_callbacks(
    *,
    port: PortOption = 8080,
    host: HostOption = "127.0.0.1",
    tls_cert: CertOption = None,
    tls_key: TlsKeyOption = None,
    home: settings.HomeOption = None,
    key_file: settings.KeyFileOption = None,
    quiet: settings.QuietOption = False,
    verbose: settings.VerboseOption = False,
    log_format: settings.LogFormatOption = settings.LogFormat.TEXT,
) -> None:
    """Receive the callbacks of every batch in the home.

    Each is answered 200 once it is on disk. It needs no API key. Ctrl-C or SIGTERM ends it, after what is being received was answered.

    \b
    Examples:
      mwbatch serve-callbacks --port 8080
      mwbatch serve-callbacks --host 0.0.0.0 --port 8443 --tls-cert chain.pem --tls-key key.pem
    """

    async def command(desk: "Desk") -> Result:
        from mwbatch.callbacks.server import serve
        from mwbatch.views.plain import Done

        where = open_home(home, key_file, desk)
        async with await serve(where, host, port, tls_cert=tls_cert, tls_key=tls_key) as receiver:
            desk.tally.note(welcome(receiver, host))
            desk.tally.phase = "received"
            while receiver.failure is None and not await desk.sleep(0.25):
                desk.tally.done = receiver.counts.received
            if receiver.failure is not None:
                raise receiver.failure
        return Done()

    perform(command, Manner(False, quiet, verbose, log_format))


def welcome(receiver: "Running", host: str) -> str:
    """Where it listens, and how to open it to the world."""
    text = f"receiving callbacks at {receiver.url}"
    if host in ("127.0.0.1", "localhost", "::1"):
        text += ", from this machine only; --host 0.0.0.0 or a proxy opens it to the world"
    return text


def run(
    manifest: settings.ManifestArgument,
    *,
    port: PortOption = 8080,
    host: HostOption = "127.0.0.1",
    tls_cert: CertOption = None,
    tls_key: TlsKeyOption = None,
    poll: Annotated[
        float, typer.Option("--poll", min=0.1, help="Seconds between two looks at what is pending.")
    ] = 30.0,
    batch: BatchOption = None,
    callback_url: settings.CallbackUrlOption = None,
    add: AddOption = False,
    allow_duplicates: DuplicatesOption = False,
    keep_going: KeepGoingOption = False,
    concurrency: settings.ConcurrencyOption = 64,
    rate: settings.RateOption = None,
    timeout: settings.TimeoutOption = 30.0,
    settle: settings.SettleOption = settings.SETTLE,
    max_tasks: MaxTasksOption = None,
    price: PriceOption = None,
    max_cost: MaxCostOption = None,
    yes: settings.YesOption = False,
    home: settings.HomeOption = None,
    key_file: settings.KeyFileOption = None,
    base_url: settings.BaseUrlOption = settings.BASE_URL,
    json: settings.JsonOption = False,
    quiet: settings.QuietOption = False,
    verbose: settings.VerboseOption = False,
    log_format: settings.LogFormatOption = settings.LogFormat.TEXT,
) -> None:
    """Submit a manifest and receive its answers, in one process.

    It ends when nothing is pending. Run it again after any interruption: it goes on where it stopped.

    \b
    Examples:
      mwbatch run sample_manifests/ten.csv --port 8080
      mwbatch run sample_manifests/tagging.csv --port 8080 --yes --json
    """

    async def command(desk: "Desk") -> Result:
        from mwbatch.commands.planning import source_of
        from mwbatch.commands.run import Door, run
        from mwbatch.views.outcomes import created

        where = open_home(home, key_file, desk)
        wishes = wishes_of(
            callback_url,
            concurrency,
            rate,
            keep_going,
            checked_settle(settle, base_url),
            max_tasks,
            price,
            max_cost,
            yes,
        )
        async with (
            source_of(manifest, batch, allow_duplicates=allow_duplicates, add=add) as source,
            open_client(base_url, timeout, concurrency) as client,
        ):
            ran = await run(where, client, source, wishes, Door(host, port, tls_cert, tls_key), desk, poll)
        return created(ran)

    perform(command, Manner(json, quiet, verbose, log_format))


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("serve-callbacks")(serve_callbacks)
    app.command()(run)
