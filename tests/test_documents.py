"""The documents: each is listed, leads somewhere, says what the code says, and is in the wheel."""

import ast
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from mwbatch.callbacks.common.readiness import State
from mwbatch.callbacks.ops.metrics import OUTCOMES
from mwbatch.core.state.row_status import Status
from tests import documents
from tests.documents import DOCS, PACKAGE, ROOT, files

LINK: Final = re.compile(r"(?<!!)\[[^\]\n]+\]\(([^)\s]+)\)")


def names() -> list[str]:
    """The documents, as the repository names them."""
    return [str(path.relative_to(ROOT)) for path in files()]


def prose(path: Path) -> str:
    """A document without its blocks and code, in which nothing is a link."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", "", text)


def anchors(path: Path) -> set[str]:
    """What a link to a heading of a document may name, as GitHub and the site make it."""
    heads = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_every_document_is_listed_once() -> None:
    """The index lists each document, and none that is not there."""
    assert sorted([*documents.order(), "index"]) == sorted(path.stem for path in DOCS.glob("*"))


@pytest.mark.parametrize("name", names())
def test_every_link_leads_somewhere(name: str) -> None:
    """A link leads to a file that is there, and to a heading of it; in the documents to another of them,
    since the wheel has no more. None leads out, where nobody looks after it.
    """
    path = ROOT / name
    for target in LINK.findall(prose(path)):
        assert "://" not in target, target
        where, _, anchor = target.partition("#")
        there = (path.parent / where).resolve() if where else path
        assert there.is_file(), target
        assert path.parent != DOCS or there.parent == DOCS, target
        assert not anchor or anchor in anchors(there), target


def cited() -> Iterator[tuple[str, str]]:
    """Each document that a docstring or a comment of the code names, and where."""
    for path in sorted([*PACKAGE.rglob("*.py"), *(ROOT / "tests").rglob("*.py")]):
        for line in path.read_text(encoding="utf-8").splitlines():
            for name in re.findall(r"\b([A-Z]{4,}\.md|(?<=docs/)[a-z-]+\.md)\b", line):
                yield str(path.relative_to(ROOT)), name


def test_every_document_that_is_cited_exists() -> None:
    """Code and tests name no document that the repository does not have."""
    there = {path.name for path in [*ROOT.glob("*.md"), *files()]}
    assert [(where, name) for where, name in cited() if name not in there] == []


@pytest.mark.parametrize("name", names())
def test_every_module_that_is_named_exists(name: str) -> None:
    """A path of the repository that a document names is there."""
    found = re.findall(r"`((?:mwbatch|tests|sample_manifests)/[\w./-]*)`", (ROOT / name).read_text())
    assert [path for path in found if "{" not in path and not (ROOT / path).exists()] == []


def test_documents_say_what_the_code_says() -> None:
    """What a document takes from the code is what the code says.

    In a process of its own: click keeps how help is asked for with a command, by who showed that first.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tests.documents"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def table(name: str, head: str) -> str:
    """The table of a document that begins with this line."""
    return documents.read(name).partition(f"| {head} |\n")[2].partition("\n\n")[0]


def test_every_metric_is_told() -> None:
    """The table of metrics names each, as Prometheus shows it, with each outcome, and no other."""
    source = ast.parse((PACKAGE / "callbacks" / "ops" / "metrics.py").read_text(encoding="utf-8"))
    made = {
        node.value
        for node in ast.walk(source)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.startswith("mwbatch_")
    }
    told = table("receiver", "metric | what")
    cells = [line.split("|")[1] for line in told.splitlines()[1:]]
    shown = {name.removesuffix("_total") for cell in cells for name in re.findall(r"mwbatch_[a-z_]+", cell)}
    assert shown == made
    outcomes = re.findall(r"`([a-z_]+)`", told.splitlines()[1].split("|")[2])
    assert sorted(outcomes) == sorted(OUTCOMES)


def test_every_reason_of_readiness_is_told() -> None:
    """What `/readyz` may say stands in its line."""
    line = documents.read("receiver").partition("- `/readyz`")[2].partition("\n- ")[0]
    assert {*State} - {State.READY} == {*re.findall(r"`([a-z_]+)`", line)}


def test_every_status_has_its_word() -> None:
    """The glossary explains the six statuses of a row."""
    told = table("glossary", "status | what")
    assert re.findall(r"^\| `([a-z]+)`", told, re.MULTILINE) == [*Status]


def test_the_readme_is_short() -> None:
    """README is a door: 6 to 8 KB; what it does not say stands in the documents."""
    assert 6_000 <= len(documents.README.read_bytes()) <= 8_000


def test_the_wheel_holds_the_documents(tmp_path: Path) -> None:
    """Whoever installs mwbatch has every document."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    held = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("mwbatch/docs/")}
    assert held == {f"mwbatch/docs/{path.name}" for path in DOCS.glob("*.md")}
