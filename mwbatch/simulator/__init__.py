"""An independent stand-in for the Microwork API, with pictures, callbacks and every fault that costs money.

It imports nothing else of mwbatch: a mistake shared with the client would cancel itself out.

Over HTTP: ``simulator = await serve(Settings(port=0))``, then ``simulator.url``. Without a server, over
virtual time: ``creation.create(World(settings, now), draft, now)``, where ``draft`` comes from
``forms.read_draft``.
"""

from mwbatch.simulator.http.listing import Listings, read_query
from mwbatch.simulator.http.profiles import PROFILES, fault_named, load_faults
from mwbatch.simulator.http.server import Simulator, serve
from mwbatch.simulator.settings import Settings
from mwbatch.simulator.world.asked import cancel, retrieve
from mwbatch.simulator.world.creation import Creation, create
from mwbatch.simulator.world.faults import Fault, Faults, FaultsError, Line, Size
from mwbatch.simulator.world.forms import Draft, Refusal, read_draft
from mwbatch.simulator.world.world import Callback, World

__all__ = [
    "PROFILES",
    "Callback",
    "Creation",
    "Draft",
    "Fault",
    "Faults",
    "FaultsError",
    "Line",
    "Listings",
    "Refusal",
    "Settings",
    "Simulator",
    "Size",
    "World",
    "cancel",
    "create",
    "fault_named",
    "load_faults",
    "read_draft",
    "read_query",
    "retrieve",
    "serve",
]
