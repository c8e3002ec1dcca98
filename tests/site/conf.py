"""How Sphinx makes a site of `mwbatch/docs`: `make docs`."""

from collections.abc import Callable
from typing import Protocol

from mwbatch import __version__
from tests.documents import order

project = "mwbatch"
release = __version__
copyright = "the mwbatch authors"  # noqa: A001 (Sphinx calls it so)
extensions = ["myst_parser"]
html_theme = "furo"
html_title = f"mwbatch {__version__}"
html_show_sphinx = False
html_copy_source = False
myst_heading_anchors = 3
nitpicky = True
highlight_language = "none"
suppress_warnings = ["misc.highlighting_failure"]  # JSON with dots in it, nginx: shown as they are


def _with_contents(_: object, name: str, source: list[str]) -> None:
    """Give the first page the list of all others, in the order in which they are read."""
    if name == "index":
        source[0] += "\n```{toctree}\n:hidden:\n\n" + "\n".join(order()) + "\n```\n"


class Site(Protocol):
    """What of Sphinx is used; it is there only where the site is built."""

    def connect(self, event: str, callback: Callable[..., None]) -> object:
        """Call at an event."""
        ...


def setup(app: Site) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _with_contents)
