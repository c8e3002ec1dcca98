"""The documents: ``python -m tests.documents`` checks that what they take from the code is up to date,
``--write`` mends it.

A block between ``<!-- made: NAME -->`` and ``<!-- /made -->`` is made by the function of that name in
`MAKERS`.
"""

import ast
import dataclasses
import inspect
import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from inspect import cleandoc
from itertools import pairwise
from pathlib import Path
from typing import Final, get_args, get_type_hints

import click

import mwbatch
from mwbatch import errors
from mwbatch.callbacks.common.limits import Limits
from mwbatch.cli import app
from mwbatch.core.facts.kinds import KINDS
from tests.laws_told import LAWS

ROOT: Final = Path(__file__).parent.parent
PACKAGE: Final = ROOT / "mwbatch"
DOCS: Final = PACKAGE / "docs"
README: Final = ROOT / "README.md"
WIDTH: Final = 100
METHODS: Final[dict[str, type]] = {
    "home": mwbatch.Home,
    "home.keys": mwbatch.Keys,
    "batch": mwbatch.Batch,
    "client.tasks": mwbatch.Tasks,
}
"""What a program has in its hands, as it would call it."""

PUBLIC: Final = {name: getattr(mwbatch, name) for name in mwbatch.__all__}

_MADE: Final = re.compile(r"(<!-- made: ([a-z]+) -->\n).*?(<!-- /made -->)", re.DOTALL)
_LISTED: Final = re.compile(r"^- \[(.+)\]\(\1\.md\): ", re.MULTILINE)


def order() -> list[str]:
    """The names of the documents, as they are read."""
    return [str(name) for name in _LISTED.findall((DOCS / "index.md").read_text(encoding="utf-8"))]


def read(name: str) -> str:
    """The text of a document."""
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


@cache
def everything() -> str:
    """README and all documents, one after the other: what a reader may copy from."""
    return "\n".join([README.read_text(encoding="utf-8"), *map(read, order())])


def files() -> list[Path]:
    """Every document of the repository that people read."""
    return [README, *sorted((ROOT / ".github").glob("*.md")), *sorted(DOCS.glob("*.md"))]


def block(text: str) -> str:
    """Text that is shown as it is."""
    return f"```text\n{text.strip()}\n```\n"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def first_sentence(text: str | None) -> str:
    """The first sentence of a docstring, on one line, as Markdown."""
    whole = " ".join(cleandoc(text or "").partition("\n\n")[0].split()).replace("``", "`")
    return re.split(r"(?<=\.) (?=[A-Z`])", whole)[0].removesuffix("::").strip()


def verbs(command: click.Command = app, *before: str) -> Iterator[tuple[str, click.Command]]:
    """Every verb, those below a verb too, as it is typed."""
    if not isinstance(command, click.Group):
        yield " ".join(("mwbatch", *before)), command
        return
    ctx = click.Context(command)
    for name in command.list_commands(ctx):
        below = command.get_command(ctx, name)
        assert below is not None
        yield from verbs(below, *before, name)


def told(name: str, command: click.Command) -> str:
    """The help of a command, as wide as a page."""
    ctx = click.Context(
        command,
        info_name=name,
        terminal_width=WIDTH,
        max_content_width=WIDTH,
        help_option_names=["-h", "--help"],
    )
    return command.get_help(ctx)


def made_help() -> str:
    """What `mwbatch --help` says."""
    return block(told("mwbatch", app))


def made_verbs() -> str:
    """The help of every verb."""
    return "\n".join(f"### {name}\n\n{block(told(name, command))}" for name, command in verbs())


def made_errors() -> str:
    """The tree of the errors, each with its exit code."""
    _, _, tree = (errors.__doc__ or "").partition("::\n\n")
    return block(cleandoc(tree.partition("\n\n")[0]))


def made_facts() -> str:
    """Each kind of fact, what it means and what it carries."""
    return table(
        ["fact", "what happened", "carries"],
        [
            [f"`{name}`", first_sentence(kind.__doc__), ", ".join(f"`{field}`" for field in _fields(kind))]
            for name, kind in KINDS.items()
        ],
    )


def _fields(kind: Callable[..., object]) -> list[str]:
    return [name for name in kind.__annotations__ if name != "return"]


def docstring(path: Path) -> str:
    """What stands at the head of a module."""
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""


def made_layers() -> str:
    """The layers, as the import contracts hold them."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (
        one["layers"] for one in contracts if one["type"] == "layers" and "mwbatch.cli" in one["layers"]
    )
    return block("\n".join(layer.replace("mwbatch.", "") for layer in layers))


def made_rooms() -> str:
    """Each room of the package, in its own words."""
    rooms = sorted(path for path in PACKAGE.iterdir() if (path / "__init__.py").exists())
    return table(
        ["room", "what it is"],
        [[f"`mwbatch/{room.name}/`", first_sentence(docstring(room / "__init__.py"))] for room in rooms],
    )


def machines() -> list[tuple[Path, str]]:
    """Every module with a table of states at its head."""
    heads = [(path, docstring(path)) for path in sorted(PACKAGE.rglob("*.py"))]
    return [(path, head) for path, head in heads if re.search(r"^\| (state|life) +\|", head, re.MULTILINE)]


def made_machines() -> str:
    """The head of each state machine: its table, and what the states mean."""
    return "\n".join(f"### `{path.relative_to(ROOT)}`\n\n{block(head)}" for path, head in machines())


def made_laws() -> str:
    """Each law of `LAWS` in the words of its test, and where that is."""
    there = tests()
    parts = list[str]()
    for about, names in LAWS.items():
        rows = [[first_sentence(there[name][1]), f"`{there[name][0]}`", f"`{name}`"] for name in names]
        parts.append(f"### {about}\n\n{table(['law', 'where', 'test'], rows)}")
    return "\n".join(parts)


@cache
def tests() -> dict[str, tuple[str, str]]:
    """Every test by its name: its file, and its law."""
    return {
        node.name: (str(path.relative_to(ROOT)), ast.get_docstring(node) or "")
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def made_limits() -> str:
    """Each limit of the receiver, its value, and what it is."""
    (limits,) = (
        node
        for node in ast.parse(
            (PACKAGE / "callbacks" / "common" / "limits.py").read_text(encoding="utf-8")
        ).body
        if isinstance(node, ast.ClassDef)
    )
    rows = list[list[str]]()
    for field, words in pairwise(limits.body):
        if isinstance(field, ast.AnnAssign) and isinstance(words, ast.Expr):
            assert isinstance(words.value, ast.Constant)
            name = ast.unparse(field.target)
            rows.append([f"`{name}`", f"{getattr(Limits(), name):,}", first_sentence(str(words.value.value))])
    return table(["limit", "bytes, seconds or number", "what"], rows)


def made_methods() -> str:
    """What the objects of the library can do, in the words of their methods, and the options of several."""
    options = dict[str, type]()
    parts = list[str]()
    for name, kind in METHODS.items():
        there = {method: function for method, function in vars(kind).items() if inspect.isfunction(function)}
        rows = [
            [f"`{method}({_parameters(function, options)})`", first_sentence(function.__doc__)]
            for method, function in there.items()
            if not method.startswith("_")
        ]
        parts.append(table([f"`{name}`", "what"], rows))
    told = [
        [f"`{name}`", ", ".join(f"`{key}`" for key in get_type_hints(kind))] for name, kind in options.items()
    ]
    return "\n".join([*parts, table(["options", "keywords"], told)])


def _parameters(function: Callable[..., object], options: dict[str, type]) -> str:
    """The parameters of a method by their names; typed dictionaries are taken down in ``options``."""
    names = list[str]()
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            [kind] = get_args(get_type_hints(function, None, PUBLIC)[name])
            options[kind.__name__] = kind
            names.append(f"**{kind.__name__}")
        elif name != "self":
            names.append(name)
    return ", ".join(names)


def made_arguments() -> str:
    """What `Client` and `Home` take, in the words of their docstrings."""
    parts = list[str]()
    for kind in (mwbatch.Client, mwbatch.Home):
        _, _, text = cleandoc(kind.__doc__ or "").partition("Args:\n")
        text, _, _ = text.partition("\n\n")
        there = re.findall(r"^    (\w+): (.*?)(?=^    \w|^\S|\Z)", text, re.MULTILINE | re.DOTALL)
        rows = [[f"`{name}`", " ".join(words.split()).replace("``", "`")] for name, words in there]
        parts.append(table([f"`{kind.__name__}(…)`", "what"], rows))
    return "\n".join(parts)


def made_values() -> str:
    """Each plain value that is given or taken, with its fields, in the words of its class."""
    kinds = {name: kind for name in mwbatch.__all__ if isinstance(kind := getattr(mwbatch, name), type)}
    fields = {
        name: [one.name for one in dataclasses.fields(kind) if not one.name.startswith("_")]
        if dataclasses.is_dataclass(kind)
        else list(getattr(kind, "_fields", ()))
        for name, kind in kinds.items()
    }
    return table(
        ["value", "fields", "what"],
        [
            [f"`{name}`", ", ".join(f"`{field}`" for field in there), first_sentence(kinds[name].__doc__)]
            for name, there in fields.items()
            if there
        ],
    )


MAKERS: Final[dict[str, Callable[[], str]]] = {
    "help": made_help,
    "verbs": made_verbs,
    "errors": made_errors,
    "facts": made_facts,
    "layers": made_layers,
    "rooms": made_rooms,
    "machines": made_machines,
    "laws": made_laws,
    "methods": made_methods,
    "arguments": made_arguments,
    "values": made_values,
    "limits": made_limits,
}


def wanted(text: str) -> str:
    """A document with what the code says today in it."""
    return _MADE.sub(lambda found: f"{found[1]}{MAKERS[found[2]]()}{found[3]}", text)


def main() -> None:
    """Check, or with ``--write`` mend."""
    for path in files():
        text = path.read_text(encoding="utf-8")
        if (now := wanted(text)) == text:
            continue
        if "--write" not in sys.argv:
            sys.exit(f"{path.relative_to(ROOT)} differs from the code: python -m tests.documents --write")
        path.write_text(now, encoding="utf-8")


if __name__ == "__main__":
    main()
