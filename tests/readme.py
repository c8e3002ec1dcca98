"""Keeps README's help block equal to `mwbatch --help`: ``python -m tests.readme`` checks it,
``--write`` mends it.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

README: Final = Path(__file__).parent.parent / "README.md"
BEGIN: Final = "<!-- help -->\n```\n"
END: Final = "```\n<!-- /help -->"


def wanted() -> str:
    """The README with the help of today in it."""
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    told = subprocess.run(
        [Path(sys.executable).parent / "mwbatch", "--help"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"COLUMNS": "100", "NO_COLOR": "1"},
    ).stdout
    return f"{before}{BEGIN}{told.strip()}\n{END}{after}"


def main() -> None:
    """Check, or with ``--write`` mend."""
    if "--write" in sys.argv:
        README.write_text(wanted(), encoding="utf-8")
    elif wanted() != README.read_text(encoding="utf-8"):
        sys.exit(
            "README.md: the help block differs from mwbatch --help; mend it: python -m tests.readme --write"
        )


if __name__ == "__main__":
    main()
