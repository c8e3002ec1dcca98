"""How functions become commands."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import click
import pytest
from click.testing import CliRunner

from mwbatch.cli import FILES, app
from mwbatch.cli.options import Group, verb
from mwbatch.library.settings.declarations import Argument, Option
from tests import documents


class Colour(StrEnum):
    """A choice whose values are not its members' names."""

    RED = "dark-red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class Shared:
    """Options that verbs share."""

    near: Annotated[bool, Option("--near", "-n", help="Not far.")] = False
    home: Annotated[Path | None, Option("--home", envvar="T_HOME", help="Where.")] = None
    root: Annotated[
        Path | None, Option("--root", envvar="T_ROOT", rooted=True, help="Where. Default: here.")
    ] = None


VARIABLES = {
    word.strip("`")
    for line in documents.read("commands").splitlines()
    for word in line.split()[1:2]
    if line.startswith(("| `MWBATCH_", "| `MICROWORK_")) and "API_KEY" not in line.split()[1]
}
"""Those of the documents' table that options are read from."""

heard: list[dict[str, Any]] = []
"""What `paint` was called with."""


@verb
def paint(
    thing: Annotated[str, Argument(metavar="THING", help="What to paint.")],
    *,
    colour: Annotated[Colour, Option(envvar="T_COLOUR", help="Which.")] = Colour.BLUE,
    coats: Annotated[int, Option("--coats", "-c", envvar="T_COATS", min=1, max=9, help="How many.")] = 2,
    price: Annotated[float | None, Option(min=0.5, help="How dear.")] = None,
    seed: Annotated[int, Option(help="Any number.")] = 0,
    helper: Annotated[tuple[str, ...], Option(help="Who helps; several times.")] = (),
    span: Annotated[tuple[float, float], Option(metavar="LEAST GREATEST", help="How long.")] = (0.5, 1.5),
    shared: Shared,
) -> None:
    """Paint a thing."""
    heard.append(locals())


def painted(*words: str, **env: str) -> dict[str, Any]:
    """What the function gets for these words."""
    heard.clear()
    done = CliRunner(env=env).invoke(paint, words)
    assert done.exit_code == 0, done.output
    return heard[0]


def refused(command: click.Command, *words: str, **env: str) -> str:
    """What is said to words that cannot be meant."""
    done = CliRunner(env=env).invoke(command, words)
    assert (done.exit_code, done.stdout) == (2, "")
    return done.stderr


@pytest.mark.parametrize("name", FILES)
def test_every_verb_builds(name: str) -> None:
    """Every verb of the table is a command of that name, with a help and at least a line for each option."""
    command = app.get_command(click.Context(app), name)
    assert command is not None
    assert command.name == name
    below = command.commands.values() if isinstance(command, Group) else [command]
    for one in below:
        assert one.help
        assert all(param.help for param in one.params if isinstance(param, click.Option | click.Argument))


def commands() -> Iterator[click.Command]:
    """Every command that acts: verbs, and verbs below a verb."""
    for name in FILES:
        command = app.get_command(click.Context(app), name)
        yield from command.commands.values() if isinstance(command, Group) else [command] if command else []


def fitting(param: click.Parameter) -> list[str]:
    """Words that a parameter takes."""
    word = param.type.choices[0] if isinstance(param.type, click.Choice) else "x"
    return [param.opts[0], str(word)] if isinstance(param, click.Option) else [str(word)]


@pytest.mark.parametrize("name", sorted(VARIABLES))
def test_every_variable(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty variable is refused by each verb that reads it, and by no other."""
    monkeypatch.setenv(name, "")
    for command in commands():
        needed = [word for param in command.params if param.required for word in fitting(param)]
        if any(param.envvar == name for param in command.params):
            with pytest.raises(click.BadParameter, match=f"{name} is set, but empty"):
                command.make_context("it", [*needed])
        else:
            command.make_context("it", [*needed])


def test_no_other_variable() -> None:
    """The variables of the options are those of the documents' table, without those of the key."""
    read = {param.envvar for command in commands() for param in command.params if param.envvar}
    assert read == VARIABLES


def test_the_order_of_the_help() -> None:
    """Verbs stand in the order in which they are listed, not by the alphabet."""
    group = Group("g", [click.Command("b"), click.Command("a")])
    assert group.list_commands(click.Context(group)) == ["b", "a"]
    assert app.list_commands(click.Context(app)) == [*FILES]


def test_the_defaults() -> None:
    """Without options a function gets the defaults of its signature,
    and shared options as their dataclass.
    """
    assert painted("door") == {
        "thing": "door",
        "colour": Colour.BLUE,
        "coats": 2,
        "price": None,
        "seed": 0,
        "helper": (),
        "span": (0.5, 1.5),
        "shared": Shared(),
    }


def test_the_types() -> None:
    """What is given arrives as the types of the signature."""
    words = [
        "door",
        "--colour",
        "dark-red",
        "-c",
        "3",
        "--price",
        "1",
        "--helper",
        "a",
        "--helper",
        "b",
        "--span",
        "1",
        "2",
        "-n",
        "--home",
        "x",
    ]
    got = painted(*words)
    assert got["colour"] is Colour.RED
    assert (got["coats"], got["price"], got["helper"], got["span"]) == (3, 1.0, ("a", "b"), (1.0, 2.0))
    assert got["shared"] == Shared(near=True, home=Path("x"))


@pytest.mark.parametrize(
    ("words", "env", "coats"),
    [
        ("", {}, 2),
        ("", {"T_COATS": "5"}, 5),
        ("--coats 7", {"T_COATS": "5"}, 7),
        ("--coats 7", {"T_COATS": ""}, 7),
    ],
)
def test_a_flag_beats_a_variable_beats_a_default(words: str, env: dict[str, str], coats: int) -> None:
    """The command line wins over the environment, and that over the default."""
    assert painted("door", *words.split(), **env)["coats"] == coats


@pytest.mark.parametrize("blank", ["", " ", "\t\n"])
@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("T_COATS", "unset T_COATS for 2"),
        ("T_COLOUR", "unset T_COLOUR for blue"),
        ("T_HOME", "unset T_HOME to go without it"),
        ("T_ROOT", "unset T_ROOT for here"),
    ],
)
def test_a_variable_that_is_empty(name: str, way: str, blank: str) -> None:
    """A variable that is set, and blank, is refused, and it is said what unsetting it would mean."""
    told = f"{name} is set, but empty: {way}, or give it a value"
    assert told in " ".join(refused(paint, "door", **{name: blank}).split())


@pytest.mark.parametrize("words", ["--help", "door --coats 1 --colour blue --home a --root b"])
def test_an_empty_variable_that_is_not_used(words: str) -> None:
    """A variable that nobody reads hinders nothing: in the help, and where the option is given."""
    env = dict.fromkeys(("T_COATS", "T_COLOUR", "T_HOME", "T_ROOT"), "")
    assert CliRunner(env=env).invoke(paint, words.split()).exit_code == 0


def test_a_folder_that_the_environment_names_is_absolute() -> None:
    """A variable outlives the directory it was set in: a relative path would mean another folder in each."""
    assert painted("door", T_ROOT="/srv/labels")["shared"].root == Path("/srv/labels")
    assert painted("door", "--root", "labels", T_ROOT="labels")["shared"].root == Path("labels")
    told = CliRunner().invoke(paint, ["door"], env={"T_ROOT": "labels"})
    assert told.exit_code == 2
    assert "T_ROOT is 'labels'" in " ".join(told.output.split())
    assert str(Path.cwd() / "labels") in "".join(told.output.split())


def test_no_verb_is_cut_short_in_the_list() -> None:
    """On a terminal of 80 columns the list of verbs shows the whole sentence of each."""
    lines = CliRunner().invoke(app, ["--help"], terminal_width=80).output.splitlines()
    verbs = lines[lines.index("Commands:") + 1 :]
    assert verbs
    assert [line for line in verbs if not line.endswith(".") or line.endswith("...")] == []


def test_the_help_tells_all() -> None:
    """The help shows what is required, choices, ranges, variables and defaults, and an enum by its values."""
    text = " ".join(CliRunner().invoke(paint, ["--help"], terminal_width=200).output.split())
    for words in (
        "THING What to paint. [required]",
        "--colour [dark-red|blue] Which. [env var: T_COLOUR; default: blue]",
        "-c, --coats INTEGER How many. [env var: T_COATS; default: 2; 1<=x<=9]",
        "--price FLOAT How dear. [x>=0.5]",
        "--span LEAST GREATEST How long. [default: 0.5, 1.5]",
        "-n, --near Not far. --home PATH Where. [env var: T_HOME]",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("", "Missing argument 'THING'"),
        ("door --coats 0", "0 is not in the range 1<=x<=9"),
        ("door --coats many", "'many' is not a valid integer"),
        ("door --price 0.4", "0.4 is not in the range x>=0.5"),
        ("door --price nan", "'nan' is not a number"),
        ("door --colour RED", "'RED' is not one of 'dark-red', 'blue'"),
        ("door --home=", "An empty word says nothing (is a variable not set?)"),
        ("door --helper=", "An empty word says nothing"),
        ("door --colur blue", "Did you mean '--colour'?"),
        ("door floor", "unexpected extra argument (floor)"),
    ],
)
def test_what_cannot_be_meant(words: str, told: str) -> None:
    """A wrong word ends with 2, and it is said what would do."""
    assert told in refused(paint, *words.split())


def test_a_wrong_variable() -> None:
    """A variable that cannot be read is named."""
    assert "T_COATS" in refused(paint, "door", T_COATS="many")


def test_a_verb_that_was_mistyped() -> None:
    """What was meant is suggested, of a verb and of a verb below it."""
    assert "Did you mean 'status'?" in refused(app, "statsu")
    assert "Did you mean 'list'?" in refused(app, "keys", "lst")


def bytes_option(x: Annotated[bytes, Option(help="")] = b"") -> None: ...
def bare(x: int = 1) -> None: ...
def unmarked(x: Annotated[int, "x"] = 1) -> None: ...
def union(x: Annotated[int | str, Option(help="")] = 1) -> None: ...


@pytest.mark.parametrize("function", [bytes_option, bare, unmarked, union])
def test_an_unknown_declaration(function: Callable[..., None]) -> None:
    """A type that no option is made of, or a parameter without a mark,
    is an error when the command is built.
    """
    with pytest.raises(TypeError, match=r"no option is made of|not a type with an Option"):
        verb(function)


def test_a_name_that_is_there_twice() -> None:
    """A parameter and a field of shared options cannot have one name."""

    def twice(near: Annotated[bool, Option(help="")] = False, *, shared: Shared) -> None: ...

    with pytest.raises(AssertionError, match="twice"):
        verb(twice)
