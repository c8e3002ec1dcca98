"""Errors and notes in the language of the caller."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from mwbatch.core.words.keywords import in_python
from mwbatch.errors import MwbatchError

_log = logging.getLogger("mwbatch")


@contextmanager
def spoken() -> Iterator[None]:
    """Within the block errors are raised in the words of Python."""
    try:
        yield
    except MwbatchError as error:
        error.args = tuple(in_python(one) if isinstance(one, str) else one for one in error.args)
        raise


def logged(sentence: str) -> None:
    """Log what a command notes."""
    said = in_python(sentence)
    _log.log(
        logging.WARNING if said.startswith("warning: ") else logging.INFO,
        "%s",
        said.removeprefix("warning: "),
    )
