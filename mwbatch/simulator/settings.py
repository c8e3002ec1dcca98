"""How a simulator is set up."""

from dataclasses import dataclass, field
from typing import Literal

from mwbatch.simulator.world.faults import Faults


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be chosen about a simulator.

    Attributes:
        host: address to listen on.
        port: port to listen on; 0 lets the system choose one.
        api_key: the only accepted key; None accepts any that is not empty.
        complete_after: least and greatest time from creation to completion, in simulated seconds.
        time_scale: simulated seconds per real second; shortens completions and the 24 hours of callback
            tries.
        seed: another seed gives other task ids and other completion times.
        faults: what goes wrong.
        latency: seconds that every answer of the API is held back.
        rate: creates accepted per second, others are answered 429; None for no limit.
        dialect: ``later`` speaks the vendor's later revision (camelCase, ``state``, bare listings).
        strangers: tasks in the listing that somebody else created under the same key.
        max_page: greatest page of a listing, whatever ``limit`` asks for.
    """

    host: str = "127.0.0.1"
    port: int = 8900
    api_key: str | None = "sim_key"
    complete_after: tuple[float, float] = (0.2, 1.5)
    time_scale: float = 1.0
    seed: int = 0
    faults: Faults = field(default_factory=Faults)
    latency: float = 0.0
    rate: float | None = None
    dialect: Literal["reference", "later"] = "reference"
    strangers: int = 0
    max_page: int = 100
