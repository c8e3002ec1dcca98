"""Taking safeguards out, for as long as something is played: who looks for their loss must find it."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

Sabotage = Mapping[str, Mapping[str, Any]]
"""What is put in the place of what, for each safeguard."""


@contextmanager
def replaced(stand_ins: Mapping[str, Any]) -> Iterator[None]:
    """Play with each of these in the place of what its name leads to, which MUST be there."""
    with ExitStack() as stack:
        for target, stand_in in stand_ins.items():
            stack.enter_context(patch(target, stand_in))
        yield
