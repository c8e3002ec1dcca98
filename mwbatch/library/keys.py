"""The callback keys of a home."""

from typing import TYPE_CHECKING

from mwbatch.core.codec.ids import Kid
from mwbatch.library.runtime import Runtime

if TYPE_CHECKING:
    from mwbatch.core.report.key_use import KeyLine, Retired, Rotated


class Keys:
    """What `mwbatch keys` does. No secret is shown."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def list(self) -> "list[KeyLine]":
        """Every key that there ever was, the oldest first, and what waits for each.

        Raises `UsageError` where the key file is unusable, or gone although a batch needs it.
        """
        from mwbatch.commands.verbs import keys

        with self._runtime.at_work() as context:
            return await keys.listed(self._runtime.store, context)

    async def rotate(self) -> "Rotated":
        """Make a new key, which signs from now on; the others go on to verify what they signed."""
        from mwbatch.commands.verbs import keys

        with self._runtime.at_work() as context:
            return keys.rotated(self._runtime.store, context)

    async def retire(self, kid: str, *, force: bool = False) -> "Retired":
        """Refuse callbacks at an old key's addresses.

        Raises:
            UsageError: it is the one that signs, or none; or, unless ``force``, rows may still be answered at
                its addresses.
        """
        from mwbatch.commands.verbs import keys

        with self._runtime.at_work() as context:
            return await keys.retired(self._runtime.store, Kid(kid), context, force=force)
