"""A journal in memory: the twin that tests and virtual time use."""

from collections.abc import Iterator, Sequence

from mwbatch.core.facts import Fact, identity


class Memory:
    """Facts in a list; durable for as long as the process lives."""

    def __init__(self) -> None:
        self._facts: list[Fact] = []
        self._known: set[bytes] = set()

    async def append(self, facts: Sequence[Fact]) -> list[bool]:
        """Keep the new ones."""
        return [self._keep(fact) for fact in facts]

    def _keep(self, fact: Fact) -> bool:
        key = identity(fact)
        if key in self._known:
            return False
        if key is not None:
            self._known.add(key)
        self._facts.append(fact)
        return True

    def read(self) -> Iterator[Fact]:
        """Iterate over the facts that are there now."""
        return iter(tuple(self._facts))

    async def close(self) -> None:
        """Nothing to release."""
