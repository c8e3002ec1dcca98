"""`mwbatch serve-callbacks` and `mwbatch run`: the two that receive."""

import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from mwbatch.cli.options import verb
from mwbatch.cli.program import perform
from mwbatch.cli.wiring import keywords, library
from mwbatch.core.words import values
from mwbatch.library.settings import groups as settings
from mwbatch.library.settings.declarations import Option
from mwbatch.views.plain import Result

if TYPE_CHECKING:
    from mwbatch.callbacks.ops.server import Running
    from mwbatch.commands.context.context import Context


@dataclass(frozen=True, slots=True)
class Listening:
    """Where a receiver listens."""

    port: Annotated[int, Option("--port", min=0, max=65535, help="The port to listen on; 0 chooses one.")] = (
        values.PORT
    )
    host: Annotated[
        str,
        Option("--host", help="The address to listen on; 0.0.0.0 opens it to the world, :: to IPv6 alone."),
    ] = values.HOST
    tls_cert: Annotated[
        Path | None,
        Option("--tls-cert", help="A certificate chain (PEM), to serve https; read again when it changes."),
    ] = None
    tls_key: Annotated[Path | None, Option("--tls-key", help="The certificate's private key (PEM).")] = None
    admin_port: Annotated[
        int | None,
        Option(
            "--admin-port",
            min=0,
            max=65535,
            help="A second port, for /healthz, /readyz and /metrics. Default: none.",
        ),
    ] = None
    admin_host: Annotated[
        str,
        Option(
            "--admin-host",
            beside="--admin-port",
            help="The address of the admin port; never open it to the world.",
        ),
    ] = values.HOST


@verb
def serve_callbacks(
    *, listening: Listening, place: settings.HomeOptions, talk: settings.OutputOptions
) -> None:
    """Receive the callbacks of every batch in the data folder.

    Each is answered 200 once it is on disk. It needs no API key. Ctrl-C or SIGTERM ends it, after what is
    being received was answered.

    \b
    Examples:
      mwbatch serve-callbacks --port 8080 --admin-port 8081
      mwbatch serve-callbacks --host 0.0.0.0 --port 8443 --tls-cert chain.pem --tls-key key.pem
    """

    async def command(context: "Context") -> Result:
        from mwbatch.views.received import summary

        async with (
            library(place, context) as home,
            await home.serve_callbacks(**asdict(listening)) as receiver,
        ):
            for sentence in welcome(receiver, listening.host):
                context.tally.note(sentence)
            # Nobody wants a line every ten seconds in the log of a service; on a terminal it is a bar.
            context.tally.begin("received" if talk.verbose or sys.stderr.isatty() else "")
            with context.in_flight():
                while receiver.failure is None and not await context.sleep(0.25):
                    context.tally.done = receiver.counts.received
            context.tally.begin("")
        counts = receiver.counts.plain()
        context.tally.note(summary(counts))
        if receiver.failure is not None:
            raise receiver.failure
        return Result(value=counts)

    perform(command, talk)


def welcome(receiver: "Running", host: str) -> Iterator[str]:
    """Where it listens, and how to open it to the world."""
    from mwbatch.core.urls.hosts import is_loopback

    text = f"receiving callbacks at {receiver.url}"
    if is_loopback(host):
        text += ", from this machine only; --host 0.0.0.0 or a proxy opens it to the world"
    if host == "::":
        text += ", by IPv6 only; --host 0.0.0.0 is for IPv4"
    yield text
    if receiver.admin_url:
        yield f"health and metrics at {receiver.admin_url}"


@verb
def run(
    manifest: settings.ManifestArgument,
    *,
    listening: Listening,
    poll: Annotated[
        float, Option("--poll", min=0.1, help="Seconds between two looks at what is pending.")
    ] = values.POLL,
    batch: settings.BatchOption = None,
    taken: settings.RowSelection,
    meant: settings.MeantOptions,
    spending: settings.Spending,
    repeats: settings.AskedBeforeOptions,
    place: settings.HomeOptions,
    api: settings.Api,
    talk: settings.OutputOptions,
) -> None:
    """Submit a manifest and receive its answers in one go.

    It ends when nothing is pending. Run it again after any interruption: it goes on where it stopped.

    \b
    Examples:
      mwbatch run sample_manifests/ten.csv --port 8080
      mwbatch run sample_manifests/tagging.csv --port 8080 --yes --json
    """

    async def command(context: "Context") -> Result:
        from mwbatch.views.outcomes import created

        told = asdict(taken) | asdict(meant) | asdict(listening) | keywords(spending, repeats)
        async with library(place, context, api, spending.concurrency) as home:
            return created((await home.run(manifest, batch=batch, poll=poll, **told)).outcome)

    perform(command, talk)
