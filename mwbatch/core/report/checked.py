"""What a command came to, and the error that its exit code stands for."""

from abc import ABC, abstractmethod
from typing import Self

from mwbatch.core.words.keywords import in_python
from mwbatch.errors import SHORTFALLS, Exit


class Checked(ABC):
    """A result that can be asked to raise what the command line would exit with."""

    __slots__ = ()

    @property
    @abstractmethod
    def exit(self) -> Exit:
        """The exit code of the command."""
        ...

    @abstractmethod
    def why(self) -> str:
        """What keeps the exit code from being 0, in words."""
        ...

    def check(self) -> Self:
        """Return it, where the command did what it was for.

        Raises:
            Shortfall: the command line would exit with another code than 0; its class says with which.
        """
        if self.exit is Exit.DONE:
            return self
        raise SHORTFALLS[self.exit](in_python(self.why()))
