"""What is easily taken for each other, each as a type of its own: mypy tells whoever exchanges two.

At run time they are what they are made of. Where many are made at once the whole is cast, not each.
"""

from typing import NewType

Kid = NewType("Kid", str)
"""The name of a callback key."""
