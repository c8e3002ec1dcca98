"""What is easily taken for each other, each as a type of its own: mypy tells whoever exchanges two.

At run time they are what they are made of. Where many are made at once the whole is cast, not each.
"""

from typing import Final, NewType

Strange = NewType("Strange", str)
"""A word in a line that this version does not know: it is kept as it stands, and counts as none of ours."""

Kid = NewType("Kid", str)
"""The name of a callback key."""

Attempt = NewType("Attempt", int)
"""An attempt at a row, from 1."""

RowNumber = NewType("RowNumber", int)
"""A row of a batch, from 0, in the order in which rows were planned."""

FIRST: Final = Attempt(1)
"""The first attempt at a row, which is the only one of nearly all."""
