"""Where inputs are kept: a file of each target, a JSON string a line, one character a byte,
so that people can read it.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

CORPUS: Final = Path(__file__).parent / "corpus"
"""Inputs that reach different code: what the next run of the fuzzer begins with."""

FINDS: Final = Path(__file__).parent / "finds"
"""Inputs that once broke a law."""

MOST: Final = 80_000
"""The most bytes of one target's corpus file: all of it is kept in the repository and run by the tests."""


def kept(folder: Path, target: str) -> tuple[bytes, ...]:
    """The inputs of one target."""
    try:
        lines = (folder / f"{target}.jsonl").read_text("ascii").splitlines()
    except FileNotFoundError:
        return ()
    return tuple(json.loads(line).encode("latin-1") for line in lines)


def keep(folder: Path, target: str, inputs: Iterable[bytes]) -> None:
    """Write the inputs of one target, without repetition, in their order."""
    folder.mkdir(exist_ok=True)
    lines = "".join(_line(raw) for raw in unique(inputs))
    (folder / f"{target}.jsonl").write_text(lines, "ascii")


def bounded(inputs: Iterable[bytes]) -> list[bytes]:
    """As many of the inputs, from the first on, as one file may hold."""
    size, chosen = 0, []
    for raw in inputs:
        size += len(_line(raw))
        if size <= MOST:
            chosen.append(raw)
    return chosen


def _line(raw: bytes) -> str:
    return json.dumps(raw.decode("latin-1")) + "\n"


def unique(inputs: Iterable[bytes]) -> tuple[bytes, ...]:
    """The inputs without repetition, in their order."""
    return tuple(dict.fromkeys(inputs))
