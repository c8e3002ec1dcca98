"""The command line: one file a verb, or a pair of verbs. Settings in, a command run, a view out; no decisions."""

from typing import Annotated

import typer

from mwbatch import __version__
from mwbatch.cli import (
    export,
    keys,
    make_annotating,
    reconcile,
    results,
    retry,
    serve,
    simulate,
    status,
    submit,
    tasks,
    validate,
)

app = typer.Typer(
    name="mwbatch",
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


for verb in (
    validate,
    submit,
    serve,
    status,
    reconcile,
    results,
    export,
    make_annotating,
    retry,
    tasks,
    keys,
    simulate,
):
    verb.register(app)


def main() -> None:
    """Run the program."""
    app()
