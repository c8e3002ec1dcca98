"""Generated manifests and batches: what a run and its receiver would have left on disk,
written by the project's own code.
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email.utils import format_datetime
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any, Final

from mwbatch.client.api_key import fingerprint
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.core.codec.json_codec import Json, encode
from mwbatch.core.codec.times import iso
from mwbatch.core.facts.digests import digest
from mwbatch.core.facts.kinds import Fact, Planned, Request, Seen, Started, Via
from mwbatch.core.facts.lines import line
from mwbatch.journal.home.batch_folder import place_of
from mwbatch.journal.home.begun import FOLDER as BEGUN
from mwbatch.journal.home.begun import Begun
from mwbatch.journal.home.home import Home
from mwbatch.journal.interface.batch_info import BatchInfo
from mwbatch.journal.keys.keyring import Keys
from mwbatch.journal.keys.keys_json import written
from mwbatch.journal.segments.folders import JOURNAL, RESULTS, ROWS
from mwbatch.journal.segments.journal import segment_sizes
from tests.bench.growing.tasks import API_KEY, BASE, BATCH_ID, BEGAN, KEY, MANIFEST, WORKED, Made
from tests.support.records import rewrite

NAME: Final = "grown"
RUN: Final = 256
"""Rows that one `started` covers."""

SEGMENTS: Final = 3
"""Segments of the journal and of the results: so many runs there were."""


@dataclass(frozen=True, slots=True)
class Grown:
    """A manifest, and a home with the batch that was made of it."""

    rows: int
    folder: Path

    @property
    def manifest(self) -> Path:
        """The manifest."""
        return self.folder / "manifest.csv"

    @property
    def home(self) -> Path:
        """The home."""
        return self.folder / "home"

    def generate(self, origin: str) -> None:
        """Write everything: every row planned, created and answered at the API at ``origin``."""
        with self.manifest.open("w") as file:
            file.write(MANIFEST)
            file.writelines(Made(row).cells() for row in range(self.rows))
        home = Home(self.home)
        home.path.mkdir(parents=True)
        Path(home.keys.where).touch(mode=0o600)
        Path(home.keys.where).write_bytes(written(Keys((KEY,))))
        ref = home.create(BatchInfo(NAME, BATCH_ID, origin, str(self.manifest), "id", (KEY.kid,)))
        folder, info = Path(ref.where), ref.info
        _write(folder / ROWS, "submit", self._planned())
        starts = count(1)
        for number, (first, end) in enumerate(self._parts()):
            _write(folder / JOURNAL, f"submit{number}", self._created(origin, first, end, starts))
            _write(folder / RESULTS, f"receiver{number}", (_answer(row) for row in range(first, end)))
        clock = _clock(Made(0))
        info = replace(info, began=clock, clock=clock, base=BASE, echo={"tagging": True}, drift=(0, 1))
        _keep_sizes(home, folder, info=info)

    def copied(self, to: Path, *, but: str = "") -> "Grown":
        """A copy for a command that writes: segments are shared, since none is ever written again;
        ``but`` one folder.
        """
        copy = Grown(self.rows, to)
        left = {but} - {""}
        shutil.copytree(
            self.home, copy.home, copy_function=os.link, ignore=lambda _, names: left.intersection(names)
        )
        home = Home(copy.home)
        folder = Path(home.find(NAME).where)
        _keep_sizes(home, folder, place=place_of(folder))
        return copy

    def segments(self) -> list[Path]:
        """Every segment of the batch."""
        return sorted((self.home / NAME).glob("*/*.jsonl"))

    def _parts(self) -> Iterator[tuple[int, int]]:
        size = -(-self.rows // SEGMENTS)
        return ((first, min(first + size, self.rows)) for first in range(0, self.rows, size))

    def _planned(self) -> Iterator[Fact]:
        for row in range(self.rows):
            made = Made(row)
            request: Request = {"image_url": made.image_url, "objects_to_tag": "brands"}
            columns: dict[str, Json] = {"campaign": f"spring {row % 50}"}
            yield Planned(_at(made), RowNumber(row), f"shot-{row:08d}", row + 2, "tagging", request, columns)

    def _created(self, origin: str, first: int, end: int, starts: Iterator[int]) -> Iterator[Fact]:
        for begin in range(first, end, RUN):
            rows = ((begin, min(begin + RUN, end)),)
            at, key = _at(Made(begin)), fingerprint(API_KEY)
            yield Started(
                at, rows, Attempt(1), BASE, origin, key, KEY.kid, _clock(Made(begin)), number=next(starts)
            )
            for row in range(*rows[0]):
                made = Made(row)
                yield Seen(
                    _at(made),
                    RowNumber(row),
                    Attempt(1),
                    made.task_id,
                    "pending",
                    Via.CREATE,
                    iso(made.created),
                )


def _keep_sizes(home: Home, folder: Path, **changes: Any) -> None:
    """Keep how large the segments are, in the batch info and outside of the folder."""
    sizes = segment_sizes(folder)
    rewrite(folder, segments=sizes, **changes)
    begun = Begun(home.path / BEGUN / f"{BATCH_ID}.jsonl")
    begun.write(sizes)
    begun.close()


def _answer(row: int) -> Fact:
    made = Made(row)
    said = made.callback()
    body = encode(said)
    return Seen(
        _at(made),
        RowNumber(row),
        Attempt(1),
        made.task_id,
        "completed",
        Via.CALLBACK,
        iso(made.created),
        iso(made.created + WORKED),
        digest(said["response"]),
        sha256(body).hexdigest(),
        body,
    )


def _clock(made: Made) -> str:
    """What the server's ``Date`` said then."""
    return format_datetime(made.created, usegmt=True)


def _at(made: Made) -> float:
    return made.created.timestamp()


def _write(folder: Path, writer: str, facts: Iterator[Fact]) -> None:
    """One segment, named as those of the project are."""
    folder.mkdir(exist_ok=True)
    with (folder / f"{BEGAN:%Y%m%dT%H%M%SZ}-{writer}-{len(writer):08x}.jsonl").open("wb") as file:
        for fact in facts:
            file.write(line(fact))
