"""Files are made, replaced and removed in one way: whoever adds another one is told here."""

import ast
import tomllib
from pathlib import Path
from typing import Final

import mwbatch

WAYS: Final = {"disk.py", "placing.py", "renaming.py", "replacing.py", "target.py"}
"""The modules of `mwbatch.journal` that may: what is new or locked, what takes a place,
what is written for users.
"""

CALLS: Final = {
    "os": {
        "chmod", "chown", "lchown", "link", "makedirs", "mkdir", "mkfifo", "remove", "removedirs", "rename",
        "renames", "replace",
        "rmdir", "symlink", "truncate", "unlink",
    },
    "shutil": {"chown", "copy", "copy2", "copyfile", "copymode", "copystat", "copytree", "move", "rmtree",
    "unpack_archive"},
    "tempfile": {"NamedTemporaryFile", "SpooledTemporaryFile", "TemporaryDirectory", "mkdtemp", "mkstemp",
    "mktemp"},
}  # fmt: skip
METHODS: Final = {
    "chmod", "hardlink_to", "lchmod", "mkdir", "rename", "rmdir", "symlink_to", "touch", "unlink",
    "write_bytes", "write_text",
}  # fmt: skip


def is_a_way(call: ast.Call) -> bool:
    """Whether a call may make, change, rename or remove a file by its name."""
    if not isinstance(call.func, ast.Attribute):
        name, owner = getattr(call.func, "id", ""), ""
    else:
        name, owner = call.func.attr, getattr(call.func.value, "id", "")
    if owner in CALLS:
        return name in CALLS[owner] or (name == "open" and not _makes_nothing(ast.unparse(call)))
    if name == "open":
        return any(_is_mode(value) for value in [*call.args, *(word.value for word in call.keywords)])
    if name == "replace":  # of a path: that of a string takes two, that of a value names what it replaces
        return (
            bool(owner or isinstance(call.func, ast.Attribute)) and len(call.args) == 1 and not call.keywords
        )
    return name in METHODS | CALLS["tempfile"] | CALLS["shutil"]


def _makes_nothing(call: str) -> bool:
    return any(word in call for word in ("O_RDONLY", "os.devnull", "os.ttyname"))


def _is_mode(value: ast.expr) -> bool:
    said = value.value if isinstance(value, ast.Constant) else None
    return isinstance(said, str) and 0 < len(said) < 4 and bool({*said} & {*"wax+"})


FACE: Final = {"interface", "files", "outputs", "opening"}
"""What others may import of `mwbatch.journal`: of its wings these, whole;
of the keys what is the same of every store.
"""


def test_all_else_of_the_journal_is_its_own() -> None:
    """Each wing of the journal is one of its face,
    or forbidden to all others by the contract in pyproject.toml.
    """
    journal = Path(mwbatch.__path__[0]) / "journal"
    there = {path.stem for path in journal.iterdir() if not path.stem.startswith("__")}
    contracts = tomllib.loads((journal.parents[1] / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
    [inside] = [one for one in contracts if "mwbatch.journal.home" in one.get("forbidden_modules", [])]
    assert there - FACE == {name.split(".")[2] for name in inside["forbidden_modules"]}


def test_there_is_one_way() -> None:
    """No other module of mwbatch makes, writes, renames or removes a file."""
    found = [
        f"{path.name}:{node.lineno}: {ast.unparse(node)}"
        for path in Path(mwbatch.__path__[0]).rglob("*.py")
        if not ("journal" in path.parts and path.name in WAYS)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and is_a_way(node)
    ]
    assert found == []


def test_no_way_is_missed() -> None:
    """What makes, changes or removes a file is known as that, and what only reads or computes is not."""
    ways = [
        "open(path, 'w')", "path.open('xb')", "path.open(mode='r+')", "aiofiles.open(p, 'ab')",
        "os.open(p, os.O_WRONLY)",
        "os.open(p, _NEW)", "os.replace(a, b)", "a.replace(b)", "a.rename(b)", "shutil.rmtree(a)",
        "rmtree(a)", "a.unlink()",
        "a.write_text('x')", "NamedTemporaryFile()", "tempfile.mkstemp()", "os.link(a, b)", "a.mkdir()",
    ]  # fmt: skip
    reads = [
        "open(path)", "path.open('rb')", "path.open('rb', buffering=0)", "text.replace('a', 'b')",
        "replace(card, place=1)",
        "moment.replace(tzinfo=UTC)", "os.open(p, os.O_RDONLY | os.O_CLOEXEC)", "shutil.copyfileobj(a, b)",
        "tempfile.TemporaryFile(dir=a)", "self._keys.open()", "os.fsync(file)",
    ]  # fmt: skip
    told = [
        is_a_way(node)
        for text in ways + reads
        for node in [ast.parse(text, mode="eval").body]
        if isinstance(node, ast.Call)
    ]
    assert told == [True] * len(ways) + [False] * len(reads)
