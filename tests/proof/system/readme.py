"""What the documents tell operators to copy."""

import re
from pathlib import Path

from tests import documents


def block(language: str) -> str:
    """The one fenced block of the documents in this language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", documents.everything(), re.DOTALL | re.MULTILINE)
    return str(found)


def logs(folder: Path) -> str:
    """All that stands in the logs of a folder."""
    return "\n".join(path.read_text(errors="replace") for path in sorted(folder.glob("*.log")))
