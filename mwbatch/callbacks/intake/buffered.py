"""A request whose body is at hand as a whole: another framework has read it."""

from collections.abc import Mapping

from mwbatch.callbacks.common.limits import Limits
from mwbatch.callbacks.common.refusal import Reason, Rejected
from mwbatch.callbacks.intake.coding import check_coding
from mwbatch.callbacks.intake.request import ENCODING, Body, Room, check_method
from mwbatch.core.api.address import Address


class BufferedRequest(Body):
    """What was handed in: the names of ``headers`` may have any case."""

    def __init__(
        self, method: str, headers: Mapping[str, str], body: bytes, room: Room, limits: Limits
    ) -> None:
        super().__init__(room, limits)
        self._method, self._body = method, body
        self.coding = next((text for name, text in headers.items() if name.title() == ENCODING), "")

    @property
    def at_hand(self) -> bool:
        """It is here."""
        return True

    def check_head(self) -> None:
        """Refuse by method, encoding or length."""
        check_method(self._method)
        if self.coding:
            check_coding(self.coding)
        if len(self._body) > self._limits.body:
            raise Rejected(Reason.TOO_LARGE)

    async def read(self, address: Address) -> bytes:  # noqa: ARG002 (nobody has to wait for his turn)
        """What was handed in."""
        self._grow(len(self._body))
        return self._body
