"""Every command that mwbatch tells people to type, found in its source: each passes one door,
`mwbatch.core.words.hint`.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

import mwbatch
from mwbatch.cli import app

ROOT: Final = Path(mwbatch.__path__[0])
DOORS: Final = ("hint", "same_command")
ANY: Final = "*"
"""A word that only a run knows; any number of them is ``**``."""

VERBS: Final = frozenset(app.list_commands(click.Context(app)))
COMMAND: Final = re.compile(rf"mwbatch (?:{'|'.join(sorted(VERBS))})\b")


def trees() -> Iterator[tuple[str, ast.Module]]:
    """Each module of mwbatch, by its path."""
    for path in sorted(ROOT.rglob("*.py")):
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def shapes() -> set[str]:
    """Each command with its module, its constant words as they are."""
    return {
        f"{name}: {_shape(node)}"
        for name, tree in trees()
        if name != "core/words/hint.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in DOORS
    }


def _shape(call: ast.Call) -> str:
    words = ["same"] if getattr(call.func, "id", "") == "same_command" else []
    args = call.args[1:] if words else call.args
    for arg in args:
        if isinstance(arg, ast.Starred):
            words.append("**")
        elif isinstance(arg, ast.Constant) and isinstance(arg.value, str):
            words.append(arg.value)
        elif (
            isinstance(arg, ast.IfExp)
            and isinstance(arg.body, ast.Constant)
            and isinstance(arg.orelse, ast.Constant)
        ):
            words.append(f"{arg.body.value!s}|{arg.orelse.value!s}")
        else:
            words.append(ANY)
    return " ".join(words)


def told_outside() -> list[str]:
    """Texts of mwbatch that name a command and did not pass the door;
    documentation and the help of options aside.
    """
    found = list[str]()
    for name, tree in trees():
        apart = {id(part) for node in ast.walk(tree) if _is_documentation(node) for part in ast.walk(node)}
        found += [
            f"{name}:{node.lineno}: {node.value}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
            if id(node) not in apart and COMMAND.search(node.value)
        ]
    return found


def _is_documentation(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in ("Option", "Argument")
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def parsed(words: list[str]) -> click.Context:
    """The context of a command line, as the real one makes it, up to where it would run.

    Raises `click.UsageError`.
    """
    command: click.Command = app
    context, rest = click.Context(app), words
    while isinstance(command, click.Group):
        found = command.get_command(context, rest[0])
        if found is None:
            raise click.UsageError(f"no verb {rest[0]}")
        command, rest = found, rest[1:]
    return command.make_context(words[0], rest)
