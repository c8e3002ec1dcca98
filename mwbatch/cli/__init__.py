"""The command line: one file a verb, or a pair of verbs. Settings in, a command run, a view out; no decisions."""

from importlib import import_module
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_group

from mwbatch import __version__

FILES: Final = {
    "validate": "validate",
    "submit": "submit",
    "resume": "submit",
    "serve-callbacks": "serve",
    "run": "serve",
    "status": "status",
    "reconcile": "reconcile",
    "results": "results",
    "export": "export",
    "make-annotating": "make_annotating",
    "retry": "retry",
    "cancel": "retry",
    "tasks": "tasks",
    "keys": "keys",
    "simulate": "simulate",
}
"""The file of each verb, in the order of the help."""


class Verbs(TyperGroup):
    """Imports the file of a verb when that is asked for, which halves the start of every other."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 (typer calls it so)
        """Every verb, imported or not."""
        return [*FILES]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 (typer calls it so)
        """The verb of this name; None where there is none, with all of them known, to suggest what was meant."""
        if cmd_name not in self.commands:
            for file in {FILES[cmd_name]} if cmd_name in FILES else {*FILES.values()}:
                part = typer.Typer(rich_markup_mode=None)
                import_module(f"mwbatch.cli.{file}").register(part)
                self.commands.update(get_group(part).commands)
        return self.commands.get(cmd_name)


app = typer.Typer(
    name="mwbatch",
    cls=Verbs,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mwbatch {__version__}")
        raise typer.Exit


@app.callback()
def mwbatch(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    """Send image tagging and annotating tasks to the Microwork API, and keep the answers.

    No row is ever paid twice, no answer is ever lost, and `mwbatch reconcile` proves it.

    \b
    In three terminals, without a key and without money:
      mwbatch simulate
      mwbatch serve-callbacks --port 8080
      mwbatch submit sample_manifests/ten.csv
    """


def main() -> None:
    """Run the program."""
    app()
