"""What each option is where nobody types it: scripts rest on it, as on the option's name."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from mwbatch.cli import app

KEPT: Final = Path(__file__).with_name("defaults.txt")


def commands(group: click.Group, before: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Every command, by the words that call it."""
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        assert command is not None
        words = (*before, name)
        if isinstance(command, click.Group):
            yield from commands(command, words)
        else:
            yield " ".join(words), command


def told() -> str:
    """A line an option: command, option, default, and the variable that it is read from."""
    lines = list[str]()
    for words, command in commands(app):
        for param in command.params:
            default = "required" if param.required else repr(param.to_info_dict()["default"])
            variable = f" {param.envvar}" if param.envvar else ""
            lines.append(f"{words} {param.opts[0]} = {default}{variable}\n")
    return "".join(lines)


def test_no_default_has_changed() -> None:
    """Whoever types nothing gets what he got; run this module to keep another."""
    assert told() == KEPT.read_text(encoding="utf-8")


if __name__ == "__main__":
    KEPT.write_text(told(), encoding="utf-8")
