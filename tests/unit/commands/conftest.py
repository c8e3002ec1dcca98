"""Commands without sockets and without waiting: a wire into the simulator's world, in virtual time."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime, formatdate
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import orjson
import pytest

from mwbatch.client import Client
from mwbatch.client.transport.wire import KEPT, WireResponse
from mwbatch.commands.context.context import Context
from mwbatch.commands.context.session import Session
from mwbatch.commands.manifest.planning import ManifestSource
from mwbatch.commands.sending.creating import SendOptions
from mwbatch.core.codec.ids import RowNumber
from mwbatch.core.facts.kinds import Fact, Planned, Started
from mwbatch.core.state.batch import Batch
from mwbatch.core.state.row_status import Status
from mwbatch.errors import ApiError, Unsure, UsageError
from mwbatch.journal.files.disk import DISK, Disk
from mwbatch.journal.home.home import Home
from mwbatch.journal.interface.batch_info import BatchInfo
from mwbatch.journal.interface.journal import Journal
from mwbatch.journal.interface.open_batch import OpenBatch, look
from mwbatch.journal.interface.store import Store
from mwbatch.journal.memory.home import MemoryHome
from mwbatch.journal.memory.journal import Memory
from mwbatch.journal.segments.journal import Segments
from mwbatch.simulator.http.listing import Listings, read_query
from mwbatch.simulator.settings import Settings
from mwbatch.simulator.world.asked import cancel, retrieve
from mwbatch.simulator.world.creation import Creation, create
from mwbatch.simulator.world.faults import Fault, Faults, Line, Size
from mwbatch.simulator.world.forms import Draft, Kind, Refusal, read_draft
from mwbatch.simulator.world.world import World

EPOCH: Final = 1_700_000_000.0
"""The wall clock when a loop begins."""

ORIGIN: Final = "http://127.0.0.1:8900"
ELSEWHERE: Final = "https://api.elsewhere.test"
LATENCY: Final = 0.05
Play = WireResponse | ApiError | None
"""What befalls one create request: this answer or error without a task, or None: the world decides."""

_STATUS: Final = {
    Fault.CREATED_500: 500,
    Fault.CREATED_503: 503,
    Fault.CREATED_LATE: 504,
    Fault.NOT_CREATED_500: 500,
    Fault.NOT_CREATED_503: 503,
    Fault.CREATED_307: 307,
    Fault.BUSY: 429,
}
_CUT: Final = {Fault.CREATED_CUT, Fault.ANSWER_CUT, Fault.ANSWER_BAD_HEADERS}


def clock() -> float:
    """The wall clock in virtual time."""
    return EPOCH + asyncio.get_running_loop().time()


def answer(status: int, document: Any = None, **headers: str) -> WireResponse:
    """An answer of the API; a header's name is written with underscores."""
    date = format_datetime(datetime.fromtimestamp(clock(), UTC), usegmt=True)
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return WireResponse(
        status,
        {"Date": date, **named},
        orjson.dumps({"error": f"said {status}"} if document is None else document),
    )


class ScriptedWire:
    """A `Wire` into a `World`. Each create meets the next of ``plays``, then whatever ``always`` says,
    then the world.

    ``on_create`` is called at the moment at which a create request leaves; ``creates`` holds the address of
    each, in order; ``listed`` and ``got`` what was asked for. ``reads`` befalls each GET, while it is not
    None; ``gets`` befall those of some tasks. A request leaves when one of ``connections`` is free; ``left``
    counts those that did.
    """

    def __init__(self, world: World) -> None:
        self.world, self.listings = world, Listings(world)
        self.plays: list[Play] = []
        self.always: Callable[[Draft], Play] = lambda _: None
        self.on_create: Callable[[Draft], None] = lambda _: None
        self.reads: ApiError | UsageError | WireResponse | None = None
        self.gets: dict[str, WireResponse] = {}
        self.creates: list[str] = []
        self.left_at: list[float] = []
        self.listed: list[dict[str, str]] = []
        self.got: list[str] = []
        self.in_flight = self.most_in_flight = self.left = 0
        self.connections = asyncio.Semaphore(10_000)

    async def send(
        self,
        method: str,
        path: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
        fresh: bool = False,
    ) -> WireResponse:
        """Carry one request there and its answer back."""
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await self._connect()
            return await self._carry(method, path, dict(params), body, fresh=fresh)
        finally:
            self.in_flight -= 1

    async def close(self) -> None:
        """Nothing to close."""

    def _dated(self, came: WireResponse) -> WireResponse:
        """An answer with the `Date` that the world's faults let it have, if any."""
        date, right = self.world.date(clock()), formatdate(clock(), usegmt=True)
        if date == right:
            return came
        headers = {name: text for name, text in came.headers.items() if name != "Date"}
        return WireResponse(came.status, headers | ({} if date is None else {"Date": date}), came.body)

    async def _connect(self) -> None:
        try:
            await self.connections.acquire()
        except asyncio.CancelledError:
            raise asyncio.CancelledError(KEPT) from None
        self.left += 1

    async def _carry(
        self, method: str, path: str, params: dict[str, str], body: bytes | None, *, fresh: bool
    ) -> WireResponse:
        try:
            await asyncio.sleep(LATENCY)
            return self._dated(await self._arrive(method, path, params, body, fresh=fresh))
        except Refusal as refused:
            return answer(refused.status, {"status_code": refused.status, "error": refused.message})
        finally:
            self.connections.release()

    async def _arrive(
        self, method: str, path: str, params: dict[str, str], body: bytes | None, *, fresh: bool
    ) -> WireResponse:
        if body is not None:
            return await self._create("annotating" if path.endswith("annotating") else "tagging", body)
        if method == "POST":
            return answer(200, cancel(self.world, unquote(path.split("/")[-2]), clock()))
        if isinstance(self.reads, ApiError | UsageError):
            raise self.reads
        if self.reads is not None:
            return self.reads
        if path == "/v1/tasks":
            return await self._list(params, fresh=fresh)
        self.got.append(unquote(path.rsplit("/", 1)[1]))
        if self.got[-1] in self.gets:
            return self.gets[self.got[-1]]
        return answer(200, retrieve(self.world, self.got[-1], clock()))

    async def _create(self, kind: Kind, body: bytes) -> WireResponse:
        draft = read_draft(kind, body, "application/x-www-form-urlencoded")
        self.creates.append(draft.callback_url)
        self.left_at.append(clock())
        self.on_create(draft)
        play = self.plays.pop(0) if self.plays else self.always(draft)
        if isinstance(play, ApiError):
            raise play
        return play or await self._told(create(self.world, draft, clock()))

    async def _told(self, made: Creation) -> WireResponse:
        if made.fault in _CUT:
            raise Unsure("the connection was cut")
        if made.fault is Fault.CREATED_TIMEOUT:
            await asyncio.sleep(30)
            raise Unsure("no answer in time")
        if made.fault is Fault.ANSWER_RUBBISH:
            return WireResponse(200, {}, b"<html>")
        return answer(_STATUS[made.fault]) if made.fault in _STATUS else answer(200, made.document())

    async def _list(self, params: dict[str, str], *, fresh: bool) -> WireResponse:
        self.listed.append(params)
        query = read_query(params, "no-cache" if fresh else "")
        faults = self.listings.befalls()
        if Fault.LIST_SLOW in faults:
            await asyncio.sleep(self.world.settings.faults.size.list_slow_s)
        return answer(200, self.listings.answer(query, faults, clock()))


class Stage:
    """A home, a world behind a wire, and a client: everything that a command is given.

    The world completes nothing by itself before a day is over. Where no home is named it is a folder, at
    ``path``.
    """

    def __init__(self, folder: Path, settings: Settings | None = None, home: Store | None = None) -> None:
        self.folder, self.path = folder, folder / "home"
        self.home = home or Home(self.path)
        self.world = World(settings or Settings(complete_after=(86_400.0, 86_400.0)), EPOCH)
        self.wire = ScriptedWire(self.world)
        self.client = self.client_at(ORIGIN)
        self.context = self.new_context()

    def client_at(self, origin: str, key: str = "sim_key") -> Client:
        """A client of an API elsewhere, or with another key."""
        return Client(key, origin, wire=self.wire)

    def new_context(self) -> Context:
        """A context in virtual time; each command of a test that is stopped needs its own."""
        return Context(now=clock, ticks=lambda: asyncio.get_running_loop().time())

    def session(self, batch: OpenBatch) -> Session:
        """A session of the batch at the stage's context."""
        return Session(batch, self.client, self.context)

    def befall(self, *lines: Line, size: Size | None = None) -> None:
        """Let these faults befall requests of the world, counted from 1."""
        faults = Faults(script=lines, size=size or Size())
        self.world.settings = replace(self.world.settings, faults=faults)

    def manifest(self, *ids: str | int, name: str = "logos.csv", column: str = "id") -> ManifestSource:
        """Write a manifest with one picture an id, and say that its rows are to be sent."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        rows = [f"{one},https://images.example.com/{one}.jpg" for one in ids]
        path.write_text("\n".join([f"{column},image_url", *rows]) + "\n")
        return ManifestSource(str(path))

    def write(self, source: ManifestSource, *lines: str) -> None:
        """Write a manifest's file anew."""
        Path(source.path).write_text("\n".join(lines) + "\n")

    async def opened(self, count: int = 0, disk: Disk = DISK) -> OpenBatch:
        """The batch ``logos``, made with ``count`` rows where it is not there; ``disk`` is the journal's."""
        if not any(ref.name == "logos" for ref in self.home.batches()):
            self.home.create(BatchInfo("logos", "b234567890", ORIGIN, "/m.csv", None, ()))
        ref = self.home.find("logos")
        batch = await look(self.home, ref, "submit")
        await batch.record(
            [
                Planned(
                    EPOCH,
                    RowNumber(n),
                    f"id-{n}",
                    n + 2,
                    "tagging",
                    {"image_url": f"https://a.example/{n}.jpg"},
                    {},
                )
                for n in range(count)
            ]
        )
        if disk is not DISK:
            assert not isinstance(self.home, MemoryHome), "a test of disks is one of files: mark it so"
            await batch.journal.close()
            batch.journal = Segments(Path(ref.where), "submit", disk)
        return batch

    def on_disk(self, name: str = "logos") -> list[Fact]:
        """Every fact of a batch, as another process would read it now."""
        ref = self.home.find(name)
        if isinstance(self.home, MemoryHome):
            return facts_of(self.home.open(ref).journal)
        return list(Segments(Path(ref.where), "view").read())

    def statuses(self, name: str = "logos") -> dict[str, int]:
        """How many rows are in each status by the facts on disk, zeros left out."""
        counts = Batch(self.on_disk(name)).by_status()
        return {status.value: count for status, count in counts.items() if count}

    def covered(self, name: str = "logos") -> set[tuple[int, int]]:
        """Each (row, attempt) that a ``started`` on disk covers."""
        return {
            (row, fact.attempt)
            for fact in self.on_disk(name)
            if isinstance(fact, Started)
            for first, end in fact.rows
            for row in range(first, end)
        }

    @property
    def tasks(self) -> int:
        """How many tasks the world has made for us."""
        return int(self.world.stats()["created"])


def silent(**options: Any) -> SendOptions:
    """SendOptions of a user whom nobody can call."""
    return SendOptions(**{"callback_url": "none"} | options)


def ids(batch: OpenBatch, status: Status) -> list[int]:
    """The rows in one status."""
    return list(batch.state.numbered(status))


def facts_of(journal: Journal) -> list[Fact]:
    """Every fact of a journal in memory."""
    assert isinstance(journal, Memory)
    return [*journal.facts_]


STORES: Final[dict[str, Callable[[], Store | None]]] = {"files": lambda: None, "memory": MemoryHome}
"""A home of each kind; None is the folder of the stage."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test with a stage on each store, but those that are about files as such."""
    if "store" in metafunc.fixturenames:
        about_files = metafunc.definition.get_closest_marker("files") is not None
        metafunc.parametrize(
            "store", [name for name in STORES if name == "files" or not about_files], indirect=True
        )


@pytest.fixture
def store(request: pytest.FixtureRequest) -> Store | None:
    """A home that is no folder; None where it is to be that of the stage."""
    return STORES[request.param]()


@pytest.fixture
def stage(tmp_path: Path, store: Store | None) -> Stage:
    """A stage of its own for each test, whose tests are `virtual`."""
    return Stage(tmp_path, home=store)
