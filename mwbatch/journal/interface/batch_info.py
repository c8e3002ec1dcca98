"""The batch info of a batch: what is known of the batch as a whole, wherever it is kept."""

from dataclasses import dataclass, field

from mwbatch.core.codec.ids import Kid
from mwbatch.core.spending.budget import Limits
from mwbatch.core.urls.hosts import known
from mwbatch.errors import OtherApi


@dataclass(frozen=True, slots=True)
class BatchInfo:
    """What is known of a batch as a whole.

    ``origin`` is the API's scheme and host, pinned; ``kids`` the callback keys that signed addresses of the
    batch; ``began`` the server's clock before the first request; ``base`` the callback base that was used
    last, and ``clock`` the server's clock when the last run sent its first request; ``echo`` whether the
    listing was seen to show our addresses, for each type of task; ``tasks`` how many tasks the API had told
    of when the last run ended, at the most; ``drift`` how far the dates of tasks lay from the server's clock,
    least and greatest in seconds, empty while that was never seen; ``behind`` the number of the last start up
    to which a listing could be believed at the beginning of a run, None where that is so of all; ``again``:
    by batch id, of other batches whose requests the user wants paid again, when (``at``) and for how many of
    the rows (``rows``); ``volatile`` the parameters of URLs that mean nothing.
    """

    name: str
    batch_id: str
    origin: str
    manifest: str
    id_column: str | None
    kids: tuple[Kid, ...]
    began: str | None = None
    base: str | None = None
    clock: str | None = None
    echo: dict[str, bool] = field(default_factory=dict)
    tasks: int = 0
    drift: tuple[int, ...] = ()
    behind: int | None = None
    limits: Limits = field(default_factory=Limits)
    again: dict[str, dict[str, float]] = field(default_factory=dict)
    volatile: tuple[str, ...] = ()

    def pinned(self, origin: str) -> None:
        """Raise `OtherApi` where the batch belongs to another API than the one at ``origin``."""
        if known(self.origin) != known(origin):
            raise OtherApi(
                f"batch {self.name} belongs to {self.origin}, and MICROWORK_BASE_URL is {origin}: its tasks "
                "live there; set MICROWORK_BASE_URL back (its rows need a batch of their own at another "
                "API: submit --batch NAME)"
            )
