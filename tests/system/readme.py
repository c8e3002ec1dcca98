"""What the README tells operators to copy."""

import re
from pathlib import Path

from tests.e2e.stage import ROOT


def block(language: str) -> str:
    """The one fenced block of the README in this language."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return str(found)


def logs(folder: Path) -> str:
    """All that stands in the logs of a folder."""
    return "\n".join(path.read_text(errors="replace") for path in sorted(folder.glob("*.log")))
