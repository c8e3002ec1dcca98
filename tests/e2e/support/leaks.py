"""Looks for secrets in what was shown, however they are disguised."""

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from html import unescape
from pathlib import Path
from urllib.parse import unquote

from mwbatch.journal.segments.folders import FOLDERS

Shown = Mapping[str, str | bytes]
"""What was shown, by the place where it was."""


def leaks(shown: Shown, secrets: Iterable[str]) -> list[str]:
    """The places that show a secret: never the secret, lest the test itself prints it."""
    there = [secret.casefold() for secret in secrets]
    assert there
    assert min(map(len, there)) >= 12, "what is short is found by chance"
    return [
        place
        for place, text in shown.items()
        if any(secret in plain for plain in _plainly(text) for secret in there)
    ]


def of_key(api_key: str) -> list[str]:
    """An API key, and all that HTTP Basic auth makes of it."""
    encoded = b64encode(f"{api_key}:".encode()).decode().rstrip("=")
    return [api_key, encoded[:-1], api_key.encode().hex()]


def _plainly(text: str | bytes) -> Iterator[str]:
    """The text, and the text without what may hide a word of it."""
    plain = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    for _ in range(3):
        yield plain.casefold()
        yield plain.replace("\\", "").replace("\n", "").casefold()
        plain = unescape(unquote(plain))


def files(home: Path, *, segments: bool) -> dict[str, bytes]:
    """Every file below a home, by its path; without ``segments`` those alone that are none."""
    found = {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}
    return {name: text for name, text in found.items() if segments or Path(name).parent.name not in FOLDERS}


def titles(pid: int) -> dict[str, bytes]:
    """What `ps` shows of a process and of its children (Linux): anybody on the machine may look."""
    there = [
        pid,
        *(
            int(child)
            for list_ in Path(f"/proc/{pid}/task").glob("*/children")
            for child in list_.read_text().split()
        ),
    ]
    return {f"/proc/{one}/cmdline": Path(f"/proc/{one}/cmdline").read_bytes() for one in there}
