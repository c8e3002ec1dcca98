"""Commands that refusals print."""

from shlex import split

import pytest

from mwbatch.commands.asking.refusing import same_command
from mwbatch.commands.context.context import Context


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("", "--only-new"),
        ("mwbatch resume week1", "mwbatch resume week1 --only-new"),
        ("mwbatch submit 'week 2.csv' --only-new --yes", "mwbatch submit 'week 2.csv' --yes --only-new"),
        ("mwbatch submit m.csv --batch b --yes", "mwbatch submit m.csv --batch b --yes --only-new"),
        ("mwbatch submit m.csv --dry-run --price 1", "mwbatch submit m.csv --price 1 --only-new"),
        ("mwbatch submit -n m.csv -q", "mwbatch submit m.csv -q --only-new"),
        ("mwbatch submit m.csv -yn", "mwbatch submit m.csv -y --only-new"),
        ("mwbatch validate m.csv --check-images --json", "mwbatch submit m.csv --json --only-new"),
        ("mwbatch submit validate", "mwbatch submit validate --only-new"),
        ("mwbatch submit -y -- -n", "mwbatch submit -y --only-new -- -n"),
        ("mwbatch validate --json -- --only-new", "mwbatch submit --json --only-new -- --only-new"),
    ],
)
def test_the_command_that_goes_on(typed: str, printed: str) -> None:
    """What was typed is repeated with what leads on; where it only looks, it is the command that does it."""
    context = Context(command=tuple(split(typed)))
    assert same_command(context, "--only-new") == printed


def test_what_is_added_takes_the_place_of_the_same_option_alone() -> None:
    """Another batch takes the place of the one that was typed; all else that was typed stays."""
    typed = Context(command=("mwbatch", "submit", "m.csv", "--batch", "a", "--only-new"))
    assert same_command(typed, "--batch", "b") == "mwbatch submit m.csv --only-new --batch b"
    joined = Context(command=("mwbatch", "submit", "m.csv", "--batch=a", "--yes"))
    assert same_command(joined, "--batch", "b") == "mwbatch submit m.csv --yes --batch b"
    assert same_command(typed, "--again", "b") == "mwbatch submit m.csv --batch a --only-new --again b"
