import asyncio
import bz2
import gzip
import io
import lzma
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from aiofiles import threadpool

from mwbatch.commands.manifest import manifests
from mwbatch.commands.manifest.manifests import Manifest, entries
from mwbatch.core.manifest.parsing import Entry
from mwbatch.errors import UsageError
from tests.support.disks import descriptors

CSV = b"id,image_url\na,https://images.example.com/1.jpg\nb,https://images.example.com/2.jpg\n"
JSONL = b'{"id":"a","image_url":"https://images.example.com/1.jpg"}\n{"id":"b","image_url":"https://images.example.com/2.jpg"}\n'
BOM = b"\xef\xbb\xbf"


async def ids(path: Path | str) -> list[str]:
    return [one.id async for chunk in entries(path) for one in chunk if isinstance(one, Entry)]


async def refusal(path: Path | str) -> str:
    """The sentence with which a file is refused, without its path."""
    with pytest.raises(UsageError) as refused:
        await ids(path)
    return str(refused.value).replace(str(path), "M")


GOOD = {
    "m.csv": CSV,
    "bom.csv": BOM + CSV,
    "m.CSV": CSV,
    "m.csv.gz": gzip.compress(CSV, mtime=0),
    "members.csv.gz": gzip.compress(CSV[:20], mtime=0) + gzip.compress(CSV[20:], mtime=0) + b"\0\0",
    "packed.csv": gzip.compress(CSV, mtime=0),
    "m.jsonl": JSONL,
    "m.ndjson": BOM + JSONL,
    "m.ndjson.gz": gzip.compress(JSONL, mtime=0),
    "m.json": b"\n " + JSONL,
    "m.txt": CSV,
    "m": JSONL,
}


@pytest.mark.parametrize("block", [3, 1 << 16])
@pytest.mark.parametrize(("name", "raw"), GOOD.items())
async def test_files(
    name: str, raw: bytes, block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A manifest is read whatever it is called, packed or not, in blocks of any size."""
    monkeypatch.setattr(manifests, "BLOCK", block)
    (tmp_path / name).write_bytes(raw)
    assert await ids(tmp_path / name) == ["a", "b"]


@pytest.mark.parametrize("raw", [CSV, JSONL, gzip.compress(JSONL, mtime=0)])
async def test_standard_input(raw: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """``-`` is standard input, its format found by its first character."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
    assert await ids("-") == ["a", "b"]


UTF16 = "M is UTF-16: save it as UTF-8, for example with iconv -f UTF-16 -t UTF-8"
PICTURE = "M is a picture ({}): name the list of pictures, not one of them"
BAD = {
    "empty.csv": (b"", "M is empty: its first line must name the columns, image_url among them"),
    "blank.jsonl": (BOM + b"\n \n", "M is empty: its first line must name the columns, image_url among them"),
    "header.csv": (b"id,image_url\n\n", "M has a header and no rows: add a line for each picture"),
    "utf16.csv": (CSV.decode().encode("utf-16"), f"{UTF16} M > MFREE"),
    "utf16be.csv": (b"\xfe\xff" + CSV.decode().encode("utf-16-be"), f"{UTF16} M > MFREE"),
    "bare16le.csv": (CSV.decode().encode("utf-16-le"), UTF16.replace("16 ", "16LE ") + " M > MFREE"),
    "bare16be.csv": (CSV.decode().encode("utf-16-be"), UTF16.replace("16 ", "16BE ") + " M > MFREE"),
    "packed16.csv.gz": (gzip.compress(CSV.decode().encode("utf-16"), mtime=0), UTF16),
    "list.json": (b'[{"image_url":1}]', ("M is one JSON list: put one object on a line, for example "
                                        "with jq -c '.[]'")),
    "sheet.csv": (b"PK\x03\x04rest", "M is a zip archive or a spreadsheet: export the sheet as CSV"),
    "m.parquet": (b"PAR1\x15\x04\x15", "M is Parquet: convert it to CSV or JSONL"),
    "one.png": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", PICTURE.format("PNG")),
    "one.jpg": (b"\xff\xd8\xff\xe0\0\x10JFIF\0", PICTURE.format("JPEG")),
    "one.mp4": (b"\0\0\0\x18ftypmp42\0\0\0\0", "M is no text: give a file in UTF-8"),
    "m.csv.bz2": (bz2.compress(CSV), "M is packed with bzip2: unpack it, or pack it with gzip"),
    "m.csv.xz": (lzma.compress(CSV), "M is packed with xz: unpack it, or pack it with gzip"),
    "twice.csv.gz": (gzip.compress(gzip.compress(CSV, mtime=0), mtime=0), "M is packed with gzip: unpack it"),
    "plain.csv.gz": (CSV, "M is not gzip, although its name says so: rename it"),
    "cut.csv.gz": (gzip.compress(CSV, mtime=0)[:-9], ("M ends in the middle of its gzip stream: copy or "
                                                     "download it again")),
    "bad.csv.gz": (gzip.compress(CSV, mtime=0) + b"rest", ("M is damaged (Error -3 while decompressing "
                                                          "data: incorrect header check): pack it anew")),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "raw", "said"), [(name, *rest) for name, rest in BAD.items()], ids=BAD.keys()
)
async def test_no_manifest(name: str, raw: bytes, said: str, tmp_path: Path) -> None:
    """What is no manifest is refused in one sentence that says what to do."""
    (tmp_path / name).write_bytes(raw)
    assert await refusal(tmp_path / name) == said.replace("MFREE", str(tmp_path / f"{name[:-4]}.2.csv"))


async def test_the_first_bytes_may_come_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a file is shows also where a pipe gives its first bytes one by one;
    and a name of a column is no format.
    """
    monkeypatch.setattr(manifests, "BLOCK", 1)
    (tmp_path / "m.csv").write_bytes(CSV.decode().encode("utf-16"))
    assert (await refusal(tmp_path / "m.csv")).startswith(UTF16)
    (tmp_path / "n.csv").write_bytes(CSV.replace(b"id", b"id,ORCHID,BZh,PAR1,GIF8,RIFF"))
    assert "cells" in str([chunk async for chunk in entries(tmp_path / "n.csv")])


async def test_a_file_of_blanks_takes_no_longer_for_it(tmp_path: Path) -> None:
    """However many blanks a file begins with, they are read once."""
    (tmp_path / "m.csv").write_bytes(b"\n" * (8 << 20) + CSV)
    assert await ids(tmp_path / "m.csv") == ["a", "b"]


async def test_no_file(tmp_path: Path) -> None:
    """A path that leads to no file is refused in one sentence that says what to do."""
    assert (
        await refusal(tmp_path / "x")
        == "there is no file M: give the path of a manifest, or - for standard input"
    )
    assert await refusal(tmp_path) == "M is a directory: give the path of a manifest in it"
    assert (await refusal("a\0b")).startswith("M cannot be read (embedded null byte)")


async def test_a_bomb_is_unpacked_in_pieces(tmp_path: Path) -> None:
    """However far a packed file expands, it is read in small pieces and stops at the longest line."""
    (tmp_path / "m.csv.gz").write_bytes(gzip.compress(b"image_url\n" + b" " * (64 << 20), 1))
    chunks = [chunk async for chunk in entries(tmp_path / "m.csv.gz")]
    assert [len(chunk) for chunk in chunks] == [1]


async def test_a_manifest_can_be_read_again(tmp_path: Path) -> None:
    """Each reading begins at the beginning; the id column is known after it."""
    (tmp_path / "m.csv").write_bytes(CSV)
    manifest = Manifest(tmp_path / "m.csv")
    assert manifest.id_column is None
    first = [chunk async for chunk in manifest]
    assert [chunk async for chunk in manifest] == first
    assert manifest.id_column == "id"


async def test_a_reader_that_is_cancelled_leaves_no_file_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cancelled in the moment in which a file is opened, the reader closes it, and then ends."""
    (tmp_path / "m.csv").write_bytes(CSV)
    begun, going, before = asyncio.Event(), threading.Event(), descriptors()
    loop = asyncio.get_running_loop()

    honest = vars(threadpool)["sync_open"]

    def slowly(*asked: Any, **how: Any) -> Any:
        loop.call_soon_threadsafe(begun.set)
        going.wait()
        return honest(*asked, **how)

    monkeypatch.setattr(threadpool, "sync_open", slowly)
    reading = asyncio.create_task(ids(tmp_path / "m.csv"))
    await begun.wait()
    reading.cancel()
    await asyncio.sleep(0)
    going.set()
    await asyncio.wait([reading])
    assert (reading.cancelled(), descriptors()) == (True, before)
