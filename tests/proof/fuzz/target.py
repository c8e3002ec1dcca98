"""What a fuzz target is, and the list of them."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Final

from tests.proof.fuzz.shelf import CORPUS, FINDS, kept, unique

NAMES: Final = ("address", "body", "lines", "tasks", "manifests")
"""The targets; each is a module of this package that has a ``TARGET``."""


@dataclass(frozen=True, slots=True)
class Target:
    """One reader and its laws.

    ``one`` takes any bytes, and raises if and only if they break a law. ``seeds`` are inputs to begin with,
    ``words`` what mutations may insert; ``longest`` is the most bytes of an input.
    """

    name: str
    one: Callable[[bytes], None]
    seeds: tuple[bytes, ...]
    words: tuple[bytes, ...]
    longest: int = 1024

    @property
    def beginning(self) -> tuple[bytes, ...]:
        """What a fuzzer begins with: seeds, corpus, and whatever was found before."""
        return unique((*self.seeds, *kept(CORPUS, self.name), *kept(FINDS, self.name)))


def load(name: str) -> Target:
    """Import one target, so that a fuzzer can watch what is imported with it."""
    target = import_module(f"tests.proof.fuzz.targets.{name}").TARGET
    assert isinstance(target, Target)
    assert target.name == name
    return target
