"""A town: one account at the API, homes beside each other, and what people do there."""

import asyncio
import re
import shlex
from collections import Counter
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final

from mwbatch.cli import app
from mwbatch.client import Client
from mwbatch.commands.context.context import Context
from mwbatch.commands.manifest.planning import ManifestSource
from mwbatch.commands.sending.creating import SendOptions
from mwbatch.commands.verbs.cancel import cancel
from mwbatch.commands.verbs.reconcile import ReconcileOptions, reconcile
from mwbatch.commands.verbs.retry import Choice, retry
from mwbatch.commands.verbs.submit import resume, submit
from mwbatch.core.spending.overlaps import Repeats
from mwbatch.core.words.values import SETTLE
from mwbatch.errors import AskedBefore, MwbatchError
from mwbatch.journal.home.home import Home
from mwbatch.simulator import Faults, Settings
from mwbatch.simulator.world.world import Callback
from tests.proof.histories.files import File, Key, key_of
from tests.proof.torture.schedules.causes import Cause
from tests.proof.torture.schedules.draw import Draw
from tests.proof.torture.schedules.steady import write_keys
from tests.proof.torture.story import ORIGIN
from tests.proof.torture.world.mortal import Died, Mortal
from tests.proof.torture.world.network import EPOCH, Network, Program, TortureWire

MOST: Final = 12
"""Commands that somebody tries who is refused again and again."""
NOBODY: Final = "none"
"""The callback base of people whom nobody can call."""


class Deaf:
    """Where nobody listens."""

    async def post(self, callback: Callback, dialect: str) -> bool:  # noqa: ARG002 (the receiver's signature)
        """Take nothing."""
        return False


class Town:
    """What people do.

    ``allowed`` is how often the user wants each request paid: once, unless he said more.
    """

    def __init__(self, folder: Path, cause: Cause, seed: int) -> None:
        self.folder, self.draw = folder, Draw("history", seed)
        faults = Faults(seed, cause.rates, cause.script, cause.size)
        settings = Settings(complete_after=(600.0, 90_000.0), faults=faults, strangers=3, **cause.setup)
        self.network = Network(self.draw, cause, settings, Deaf())
        self.allowed: Counter[Key] = Counter()
        self.step_s = 0.0
        self._runs = 0
        for name in ("home", "other"):
            (folder / name).mkdir(mode=0o700)
            write_keys(folder / name / "keys.json")

    async def paid(self) -> Counter[Key]:
        """How often each request was made and not canceled, by the ledger."""
        world = self.network.account("sim_key").world
        world.advance(self.network.now())
        return Counter(key_of(task) for task in world.tasks() if task.status != "canceled")

    async def paid_too_often(self) -> list[Key]:
        """The requests that were paid more often than the user wants."""
        return [key for key, count in (await self.paid()).items() if count > 1 + self.allowed[key]]

    async def submit(self, file: File, *more: str, dies: int = 0, home: str = "home") -> Any:
        """Submit a file as it is typed on a command line: the result, or the error that it ended with."""
        volatile = [word for name in file.volatile for word in ("--volatile", name)]
        return await self.type(["submit", str(file.path), *volatile, *more], dies=dies, home=home)

    async def type(self, words: list[str], *, dies: int = 0, home: str = "home") -> Any:
        """What the words of a command come to, read by the real command line; None where it was killed."""
        command = app.get_command(app.make_context("mwbatch", ["-h"], resilient_parsing=True), words[0])
        assert command is not None, f"there is no command {words[0]}"
        given = command.make_context(words[0], words[1:]).params
        self._runs += 1
        program = Program(self._runs, Mortal(self.draw, dies or None))
        client = Client("sim_key", ORIGIN, wire=TortureWire(self.network, "sim_key", program))
        loop = asyncio.get_running_loop()
        context = Context(
            now=lambda: EPOCH + loop.time() + self.step_s,
            ticks=loop.time,
            command=("mwbatch", *words),
        )
        there = Home(self.folder / home, disk=program.mortal.disk)
        try:
            return await program.mortal.live(_command(words[0], given, there, client, context))
        except Died:
            return None
        except MwbatchError as error:
            return error

    async def insist(self, file: File, refused: MwbatchError, home: str = "home") -> list[str]:
        """Follow the ways on that a refusal prints, those that pay nothing twice, until one is not refused.

        Gives what was said on the way where all of them are; nothing where one leads on.
        """
        said, there = [str(refused)], ways(refused, file)
        for words in there:
            came = await self.type(words, home=home)
            if not isinstance(came, MwbatchError):
                return []
            said += [shlex.join(words), str(came)]
            there += [more for more in ways(came, file, words) if more not in there and len(there) < MOST]
        return said

    @staticmethod
    def paying(refused: Any) -> list[list[str]]:
        """The commands of a refusal that pay again."""
        told: Any = refused.fields["asked_before"] if isinstance(refused, AskedBefore) else {"ways": []}
        return [words for way in told["ways"] if "--again" in (words := shlex.split(way)[1:])]


def ways(refused: MwbatchError, file: File, typed: list[str] | None = None) -> list[list[str]]:
    """The commands that a refusal prints, as words, but for those that pay again;
    else what was typed with its options.
    """
    if isinstance(refused, AskedBefore):
        told: Any = refused.fields["asked_before"]
        printed = [shlex.split(way)[1:] for way in told["ways"]]
        return [words for words in printed if "--again" not in words]
    volatile = [word for name in file.volatile for word in ("--volatile", name)]
    base = typed or ["submit", str(file.path), *volatile]
    if several := re.search(r"several batches were made from .*: (.*); name one with --batch", str(refused)):
        return [[*base, "--batch", name] for name in several[1].split(", ")]
    names = re.findall(r"--(?:only-new|add|allow-duplicates|batch NAME)", str(refused))
    return [[*base, *name.replace("NAME", f"{file.path.stem}-new").split()] for name in dict.fromkeys(names)]


def _command(
    verb: str, given: dict[str, Any], home: Home, client: Client, context: Context
) -> Coroutine[Any, Any, Any]:
    repeats = Repeats(given.get("only_new", False), tuple(given.get("again", ())))
    send_options = SendOptions(NOBODY, settle=SETTLE, repeats=repeats)
    match verb:
        case "submit":
            source = ManifestSource(
                given["manifest"],
                given["batch"],
                add=given["add"],
                allow_duplicates=given["allow_duplicates"],
                volatile=tuple(given["volatile"]),
            )
            return submit(home, client, source, send_options, context)
        case "resume":
            return resume(home, client, given["batch"], send_options, context)
        case "retry":
            return retry(home, client, given["batch"], Choice(given["status"]), send_options, context)
        case "cancel":
            return cancel(home, client, given["batch"], context=context)
        case _:
            return reconcile(home, client, given["batch"], context, ReconcileOptions(settle=SETTLE))
