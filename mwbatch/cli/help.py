"""`mwbatch help`: the documents that come with the program."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import click

import mwbatch
from mwbatch.cli.options import verb
from mwbatch.cli.program import glance
from mwbatch.core.words.hint import hint
from mwbatch.errors import UsageError
from mwbatch.library.settings.declarations import Argument
from mwbatch.library.settings.groups import OutputOptions
from mwbatch.views.plain import Result
from mwbatch.views.terminal.streams import Stream

DOCS: Final = Path(mwbatch.__path__[0]) / "docs"
_TOPIC: Final = re.compile(r"^- \[(.+)\]\(\1\.md\): (.+)$", re.MULTILINE)
"""A document in the list that `index.md` is."""

_BLOCK: Final = re.compile(r"^(```.*?^```)$", re.MULTILINE | re.DOTALL)
_REMARK: Final = re.compile(r"^<!--.*-->\n", re.MULTILINE)


def topics() -> dict[str, str]:
    """What each document is about, in the order in which they are read."""
    return dict(_TOPIC.findall(_text("index")))


def _text(topic: str) -> str:
    return (DOCS / f"{topic}.md").read_text(encoding="utf-8")


@verb
def help(  # noqa: A001 (a verb is called as its function is)
    topic: Annotated[
        str | None, Argument(metavar="[TOPIC]", help="A document or a verb; the list of documents without.")
    ] = None,
    *,
    talk: OutputOptions,
) -> None:
    """Show a document, or list them.

    On a terminal a document is shown page by page, elsewhere as the Markdown that it is.

    \b
    Examples:
      mwbatch help
      mwbatch help recovery
    """
    root = click.get_current_context().find_root()

    def look(_: Callable[[str], None]) -> Result:
        there = topics()
        if topic is None:
            return _listed(there)
        if topic in there:
            return _shown(topic, talk)
        verbs = root.command
        assert isinstance(verbs, click.Group)
        if topic in verbs.list_commands(root):
            command = verbs.get_command(root, topic)
            assert command is not None
            words = command.get_help(click.Context(command, info_name=topic, parent=root))
            return _page(words, topic=topic, title=f"mwbatch {topic}")
        raise UsageError(_unknown(topic, [*there, *verbs.list_commands(root)]))

    glance(look, talk)


def _listed(there: dict[str, str]) -> Result:
    """Every document with what it is about."""
    width = max(map(len, there))
    lines = [f"  {topic:{width}}  {about}" for topic, about in there.items()]
    return _page("\n".join([*lines, "", f"Show one: {hint('help', 'quickstart')}"]), topics=there)


def _shown(topic: str, talk: OutputOptions) -> Result:
    """A document; on a terminal it was shown by now."""
    text = _text(topic)
    if talk.json or not (isinstance(sys.stdout, Stream) and sys.stdin and sys.stdin.isatty()):
        return _page(text, topic=topic, title=text.partition("\n")[0].lstrip("# "))
    columns = sys.stdout.columns
    if columns is None:
        return _page(text, topic=topic, title="")
    click.echo_via_pager(_rendered(text, columns))
    return Result()


def _page(text: str, **about: object) -> Result:
    """A text that people read as it stands."""
    return Result(text.rstrip("\n"), about | {"text": text}, folds=False)


def _rendered(text: str, columns: int) -> str:
    """Markdown as a terminal of so many columns shows it, without colours.

    What stands in a block keeps its lines, however long: half of a command MUST NOT be pasted.
    """
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console(width=columns, color_system=None, force_terminal=True)
    with console.capture() as captured:
        for apart in _BLOCK.split(_REMARK.sub("", text)):
            if apart.startswith("```"):
                console.out(*apart.splitlines()[1:-1], sep="\n", highlight=False)
            else:
                console.print(Markdown(apart))
    return captured.get()


def _unknown(topic: str, names: list[str]) -> str:
    """What to say of a name that is none, with the one that is near it."""
    from difflib import get_close_matches

    near = get_close_matches(topic.lower(), names, n=1)
    way = f"did you mean {near[0]}? {hint('help', near[0])}" if near else f"the list: {hint('help')}"
    return f"there is no document {topic!r}: {way}"
