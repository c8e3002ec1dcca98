"""Values that cannot be, on the command line: exit 2, the option's name, and nothing was made."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from mwbatch.cli import app
from mwbatch.errors import Exit
from tests.e2e.support.stage import Stage


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("submit M --settle 1", "--settle is 1.0: too short"),
        ("submit M --settle inf", "--settle is inf: a number from 0 to"),
        ("run M --port 0 --settle 60 --callback-url https://calls.test", "--settle is 60.0: too short"),
        ("submit M --rate inf", "--rate is inf: a number from 0.001 to"),
        ("submit M --max-tasks 100000000000000000000000", "--max-tasks is 1"),
        ("submit M --price 0.1 --max-cost inf", "--max-cost is inf"),
        ("submit M --price 1e300 --max-cost 1", "--price is 1e+300"),
        ("submit M --max-cost 0.01", "give a price above 0 too (--price)"),
        ("submit M --max-cost 0.01 --price 0", "give a price above 0 too (--price)"),
        ("submit M --dry-run --max-cost 0.01", "give a price above 0 too (--price)"),
        ("submit M --timeout inf", "--timeout is inf"),
        ("submit M --concurrency 0", "'--concurrency'"),
        ("submit M --concurrency 1000000000", "'--concurrency'"),
        ("run M --poll inf", "--poll is inf"),
        ("validate M --price inf", "--price is inf"),
    ],
)
def test_what_cannot_be(words: str, said: str, tmp_path: Path) -> None:
    """It is refused before a batch is made, in the words of the command line."""
    manifest, home = tmp_path / "m.csv", tmp_path / "home"
    manifest.write_text("image_url\nhttps://images.example.com/1.jpg\n")
    told = [str(manifest) if word == "M" else word for word in words.split()]
    if not words.startswith("validate"):
        told += ["--base-url", "https://api.elsewhere.invalid", "--home", str(home)]
    if words.startswith("submit"):
        told += ["--callback-url", "none"]
    done = CliRunner(env={"MICROWORK_API_KEY": "k"}).invoke(app, told)
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr
    assert not list(home.glob("*/batch.json"))


def test_a_price_that_is_hardly_one(tmp_path: Path) -> None:
    """However little a task costs, and however high the limit, a rehearsal counts."""
    manifest = tmp_path / "m.csv"
    manifest.write_text("image_url\nhttps://images.example.com/1.jpg\n")
    for price, most in (("1e-320", "1"), ("1e-300", "1e12")):
        words = [
            "submit",
            str(manifest),
            "--dry-run",
            "--price",
            price,
            "--max-cost",
            most,
            "--home",
            str(tmp_path),
        ]
        done = CliRunner(env={"MICROWORK_API_KEY": "k"}).invoke(app, words)
        assert (done.exit_code, "1 row to send" in done.stdout) == (0, True)


@pytest.mark.parametrize("name", ["CON", "INBOX", "nul.csv", "labels."])
def test_a_reserved_name_in_a_rehearsal(patient: Stage, name: str) -> None:
    """A dry run refuses the name that a submission would refuse, and names one that works."""
    patient.manifest(1)
    words = ("submit", "m.csv", "--callback-url", "none", "--batch", name)
    real, dry = patient.run(*words), patient.run(*words, "--dry-run")
    assert (dry.code, dry.err.splitlines()[-1]) == (Exit.USAGE, real.err.splitlines()[-1])
    assert patient.run(*words[:-1], dry.err.split("--batch ")[-1].strip(), "--dry-run").code == Exit.DONE
