"""The receiver without HTTP: the real keyring, the real reading, the real stores; it dies and comes back."""

import asyncio
from typing import Final
from urllib.parse import urlsplit

import orjson

from mwbatch.callbacks.common.refusal import Rejected
from mwbatch.callbacks.intake.delivery import read
from mwbatch.callbacks.storing.routing import Routing
from mwbatch.callbacks.storing.signers import Signers
from mwbatch.errors import MwbatchError
from mwbatch.journal.home.home import Home
from mwbatch.simulator.world.tasks import later
from mwbatch.simulator.world.world import Callback
from tests.proof.torture.schedules.draw import Draw
from tests.proof.torture.world.mortal import Died, Mortal

DOWN: Final = 30.0
"""Seconds, at most, until somebody starts a dead receiver again."""


class Receiver:
    """Receives for one home, through ``deaths`` deaths at most. Times named ``at`` are ticks of the loop."""

    def __init__(self, home: Home, draw: Draw, deaths: int) -> None:
        self._home, self._draw, self._deaths = home, draw, deaths
        self._lives = 0
        self._down_until = 0.0
        self._mortal: Mortal | None = None
        self._starting = asyncio.Lock()
        self.kills = 0

    async def post(self, callback: Callback, dialect: str) -> bool:
        """Take one callback; says whether it was answered 2xx."""
        body = callback.body()
        raw = orjson.dumps(later(body) if dialect == "later" else body)
        async with self._starting:
            mortal = await self._up()
        if mortal is None:
            return False
        try:
            return await mortal.live(self._take(urlsplit(callback.url).path, raw))
        except Died:
            self._fell(mortal)
            return False
        except (MwbatchError, Rejected):
            return False

    async def stop(self) -> None:
        """End this life by kill -9: the folder is about to be replaced."""
        if self._mortal is not None:
            self._mortal.die()
            await self._mortal.reap()
            self._fell(self._mortal)

    async def _take(self, path: str, raw: bytes) -> bool:
        address = await self._keys.signed(path)
        if address is None:
            return False
        delivery = read(address, raw, _now())
        await self._stores.keep(address.batch, delivery.seen)
        return True

    async def _up(self) -> Mortal | None:
        """The receiver that listens, started again where a dead one is due."""
        if self._mortal is None and _now() >= self._down_until:
            self._lives += 1
            deadly = self._lives <= self._deaths
            moment = self._draw.whole(1, 40, "dies", self._lives) if deadly else None
            mortal = Mortal(self._draw, moment)
            self._keys = Signers(self._home, _now)
            self._stores = Routing(Home(self._home.path, disk=mortal.disk), now=_now)
            self._mortal = mortal
            try:
                await mortal.live(self._open())
            except (Died, MwbatchError):
                self._fell(mortal)
        return self._mortal

    async def _open(self) -> None:
        self._keys.open()
        await self._stores.open()

    def _fell(self, mortal: Mortal) -> None:
        if self._mortal is mortal:
            self.kills += mortal.dead
            mortal.die()
            self._mortal = None
            self._down_until = _now() + DOWN * self._draw.of("down", self._lives)


def _now() -> float:
    return asyncio.get_running_loop().time()
