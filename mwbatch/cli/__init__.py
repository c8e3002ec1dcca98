"""The command line: one file a verb, or a pair of verbs.

Settings in, a command run, a view out; no decisions.
"""

import gc
import io
import sys
from importlib import import_module
from typing import Final

import click

from mwbatch import __version__
from mwbatch.cli.ending import WORDS, ended
from mwbatch.errors import Exit
from mwbatch.views.terminal.folding import folded
from mwbatch.views.terminal.streams import abandon, take_over

FILES: Final = {
    "validate": "verbs.validate",
    "submit": "verbs.submit",
    "resume": "verbs.submit",
    "serve-callbacks": "verbs.serve",
    "run": "verbs.serve",
    "status": "verbs.status",
    "reconcile": "verbs.reconcile",
    "audit": "verbs.audit",
    "results": "verbs.results",
    "export": "verbs.export",
    "make-annotating": "verbs.make_annotating",
    "retry": "verbs.retry",
    "cancel": "verbs.retry",
    "tasks": "verbs.tasks",
    "keys": "verbs.keys",
    "simulate": "simulate",
    "help": "help",
}
"""The file of each verb, in the order of the help."""

COMMON: Final = {"-q": 1, "--quiet": 1, "-v": 1, "--verbose": 1, "--json": 1, "--home": 2}
"""Options of the verbs that people type before the verb, with how many words each takes."""


def _common(args: list[str]) -> int:
    """How many words at the beginning are one of these options; 0 where there is a verb,
    or another option.
    """
    return 1 if args[0].startswith("--home=") else COMMON.get(args[0], 0)


class Verbs(click.Group):
    """Imports the file of a verb when that is asked for, which halves the start of every other."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click calls it so)
        """Every verb, imported or not."""
        return [*FILES]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take options of every verb before it, too, as many programs do: they are handed on behind it."""
        before = list[str]()
        while args and (count := _common(args)):
            before += args[:count]
            del args[:count]
        end = args.index("--") if "--" in args else len(args)
        words = [*args[:end], *before, *args[end:]] if args else before
        ctx.meta[WORDS] = tuple(words)  # `parse_args` uses up what it is given
        return super().parse_args(ctx, words)

    # click calls it so
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The verb of this name; None where there is none, with all of them known,
        to suggest what was meant.
        """
        for name in {cmd_name} & {*FILES} or FILES:
            if name not in self.commands:
                file = import_module(f"mwbatch.cli.{FILES[name]}")
                self.commands[name] = getattr(file, name.replace("-", "_"))
        return self.commands.get(cmd_name)


@click.group(
    "mwbatch",
    cls=Verbs,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="mwbatch %(version)s", help="Say which version this is.")
def app() -> None:
    """Send image tagging and annotating tasks to the Microwork API, and keep the answers.

    No row is ever paid twice, no answer is ever lost, and `mwbatch reconcile` proves it.

    In three terminals, without a key and without money; in the third one, first paste the two lines that the
    simulator prints:

    \b
      mwbatch simulate
      mwbatch serve-callbacks --port 8080
      mwbatch submit sample_manifests/ten.csv --callback-url http://127.0.0.1:8080
    """


def _misused(error: click.ClickException) -> int:
    """Say what is wrong with a command, for scripts as an object, too; the exit code."""
    error.show(told := io.StringIO())
    print(folded(told.getvalue(), sys.stderr), end="", file=sys.stderr)
    words = sys.argv[1:]
    if "--json" in words[: words.index("--") if "--" in words else None]:
        import json

        print(json.dumps({"error": error.format_message(), "exit": error.exit_code}))
    return error.exit_code


def main() -> None:
    """Run the program."""
    take_over()
    try:
        code = app(standalone_mode=False) or Exit.DONE
    except click.ClickException as error:
        code = _misused(error)
    except click.Abort:
        # Ctrl-C where nothing else heeds it: click itself would end with 1, which means rejected rows here.
        abandon()
        code = Exit.INTERRUPTED
    code = ended(code, lambda sentence: print(sentence, file=sys.stderr))
    gc.freeze()  # or Python looks through all that there is for cycles, before it ends
    sys.exit(code)
