"""`mwbatch simulate`."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from mwbatch.cli.options import verb
from mwbatch.cli.program import emit, emit_json, perform
from mwbatch.library.settings import groups as settings
from mwbatch.library.settings.declarations import Option
from mwbatch.views.plain import Result

if TYPE_CHECKING:
    from mwbatch.commands.context.context import Context
    from mwbatch.simulator import Faults, Settings, Simulator


@dataclass(frozen=True, slots=True)
class World:
    """The API that is simulated."""

    host: Annotated[str, Option(help="The address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Option(min=0, max=65535, help="The port to listen on; 0 chooses one.")] = 8900
    api_key: Annotated[str, Option("--api-key", help="The only key that is accepted.")] = "sim_key"
    complete_after: Annotated[
        tuple[float, float], Option(metavar="LEAST GREATEST", help="Seconds until a task is completed.")
    ] = (0.2, 1.5)
    time_scale: Annotated[
        float,
        Option(min=0.001, help="Simulated seconds a second: shortens the 24 hours of callback tries."),
    ] = 1.0
    latency: Annotated[float, Option(min=0.0, help="Seconds that every answer is held back.")] = 0.0
    rate: Annotated[float | None, Option(min=0.1, help="Creates a second before 429. Default: no limit.")] = (
        None
    )
    faults: Annotated[Path | None, Option(help="A TOML file that says what goes wrong.")] = None
    profile: Annotated[str, Option(help="A named set of faults: calm or heavy.")] = "calm"
    fault: Annotated[
        tuple[str, ...],
        Option("--fault", metavar="NAME=RATE", help="How often something goes wrong, 0 to 1; several times."),
    ] = ()
    later: Annotated[bool, Option("--later", help="Speak the later dialect (camelCase, bare listings).")] = (
        False
    )
    strangers: Annotated[int, Option(min=0, max=1_000_000, help="Tasks of other people in the listing.")] = 0
    seed: Annotated[int, Option(help="Another seed, another run; the same seed, the same.")] = 0


@verb
def simulate(*, world: World, talk: settings.OutputOptions) -> None:
    """Stand in for the whole Microwork API on this machine.

    No key, no network, no money. It completes tasks by itself, posts the callbacks, draws its own pictures,
    and keeps a ledger of every task under /_sim/ledger. With faults it fails in the ways that cost money.

    \b
    Examples:
      mwbatch simulate
      mwbatch simulate --profile heavy --seed 7 --fault created_500=0.2
    """

    async def command(context: "Context") -> Result:
        there = await listening(settings_of(world))
        try:
            pasted = {"MICROWORK_BASE_URL": there.url, "MICROWORK_API_KEY": world.api_key}
            if talk.json:
                emit_json(pasted)
            else:
                emit("\n".join(f"export {name}={value}" for name, value in pasted.items()))
            context.tally.note(
                f"the simulator is at {there.url}; paste the two lines where you submit. Ctrl-C ends it"
            )
            with context.in_flight():
                await context.stopping.wait()
        finally:
            await there.close()
        return Result()

    perform(command, talk)


def settings_of(world: World) -> "Settings":
    """The same for the simulator; raises `UsageError` for faults that it does not have."""
    from mwbatch.simulator import Settings

    return Settings(
        host=world.host,
        port=world.port,
        api_key=world.api_key,
        complete_after=world.complete_after,
        time_scale=world.time_scale,
        seed=world.seed,
        faults=replace(faults_of(world.faults, world.profile, world.fault), seed=world.seed),
        latency=world.latency,
        rate=world.rate,
        dialect="later" if world.later else "reference",
        strangers=world.strangers,
    )


async def listening(settings: "Settings") -> "Simulator":
    """A simulator that listens; raises `UsageError` where it cannot."""
    from mwbatch.errors import UsageError
    from mwbatch.simulator import serve

    try:
        return await serve(settings)
    except (OSError, UnicodeError) as error:  # the second of a host that can be none
        number = (isinstance(error, OSError) and error.errno) or 0
        reason = os.strerror(number) if number > 0 else str(error)
        where = f"{settings.host}:{settings.port}"
        raise UsageError(f"cannot listen on {where} ({reason}); choose another --port or --host") from None


def faults_of(path: Path | None, profile: str, rates: Iterable[str] = ()) -> "Faults":
    """The faults of a file, else of a named profile, with single rates on top."""
    from mwbatch.errors import UsageError
    from mwbatch.simulator import PROFILES, FaultsError, fault_named, load_faults

    if path is None and profile not in PROFILES:
        raise UsageError(
            f"--profile {profile}: choose one of {', '.join(PROFILES)}, or describe faults with --faults"
        )
    try:
        faults = PROFILES[profile] if path is None else load_faults(path)
        named = {fault_named(name): rate for name, rate in map(_rate, rates)}
        return replace(faults, rates={**faults.rates, **named})
    except OSError as error:
        raise UsageError(f"--faults {path}: {error.strerror or error}") from None
    except (FaultsError, ValueError) as error:
        raise UsageError(str(error)) from None


def _rate(text: str) -> tuple[str, float]:
    name, _, rate = text.partition("=")
    try:
        return name, float(rate)
    except ValueError:
        raise ValueError(f"--fault {text}: write NAME=RATE, such as {name}=0.2") from None
