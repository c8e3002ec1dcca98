"""Opens manifests: CSV or JSONL, packed with gzip or not, from a file or from standard input (``-``)."""

import asyncio
import hashlib
import os
import stat
import zlib
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Final

import aiofiles
from aiofiles.threadpool.binary import AsyncBufferedReader

from mwbatch.core.codec.plain_text import BOM, HEAD, TO_UTF8, instead
from mwbatch.core.facts.digests import SIZE
from mwbatch.core.manifest.parsing import CsvReader, Found, JsonlReader, Reader
from mwbatch.core.report.progress import Tally
from mwbatch.core.words.hint import typed
from mwbatch.errors import UsageError
from mwbatch.journal.files.closing import to_end
from mwbatch.journal.outputs.placing import free

BLOCK: Final = 1 << 16
"""The bytes read at a time: about a thousand rows, so that nothing else waits for long."""

LONGEST_CLOSE: Final = 0.5
"""Seconds in which any file but a pipe is closed."""

BLANK: Final = 1 << 20
"""The most bytes of nothing with which a file may begin and still be told from its first character."""

_READERS: Final[dict[str, type[CsvReader] | type[JsonlReader]]] = {
    ".csv": CsvReader,
    ".jsonl": JsonlReader,
    ".ndjson": JsonlReader,
}
_GZIP: Final = b"\x1f\x8b"


class Manifest:
    """A manifest file; iterate it (``async for chunk in manifest``) to read its rows and problems,
    chunk by chunk.

    ``tally`` counts the bytes of the file that were read; ``name`` is what messages call it, where that is
    not its path.

    Raises:
        UsageError: there is no such file, it cannot be read, or it is no manifest at all.
    """

    def __init__(self, path: str | Path, tally: Tally | None = None, name: str = "") -> None:
        self.path, self._tally = str(path), tally or Tally()
        self.name = name or name_of(self.path)
        self._reader: Reader | None = None
        self._read = hashlib.blake2b(digest_size=SIZE)

    @property
    def mark(self) -> bytes:
        """Names everything that was read so far: where it is the same again, so is every row up to there."""
        return self._read.digest()

    @property
    def id_column(self) -> str | None:
        """The column that names the rows, None where they go by digest; known from the first chunk on."""
        return self._reader.id_column if self._reader else None

    @property
    def header(self) -> tuple[int, list[str]]:
        """The line of the header and the names in it; 0 and none where each row names its own columns."""
        return (self._reader.header, self._reader.names) if self._reader else (0, [])

    @property
    def batch_id(self) -> str:
        """The batch that its first row names, as rows do that mwbatch put aside;
        empty where it names none.
        """
        return self._reader.batch_id if self._reader else ""

    @property
    def decimals(self) -> str:
        """What to say of ids that were decimal numbers, in what was read so far; empty where none were."""
        return self._reader.decimals if self._reader else ""

    def chunks(self) -> aclosing[AsyncGenerator[list[Found], None]]:
        """Read it in an ``async with``, which closes the file at once also where the reading ends early."""
        return aclosing(aiter(self))

    async def __aiter__(self) -> AsyncGenerator[list[Found], None]:
        """Read from the beginning; a chunk holds what one block of the file yields, and is never empty."""
        empty = True
        async with aclosing(self._feeds()) as feeds:
            async for chunk in feeds:
                if chunk:
                    empty = False
                    yield chunk
        if empty:
            raise UsageError(f"{self.name} has a header and no rows: add a line for each picture")

    async def _feeds(self) -> AsyncGenerator[list[Found], None]:
        """Feed the file to the reader that it is for; some of what comes back is empty."""
        self._reader, head = None, b""
        self._read = hashlib.blake2b(digest_size=SIZE)
        async with aclosing(_plain(self.path, self.name, self._tally)) as blocks:
            async for block in blocks:
                self._read.update(block)
                if self._reader:
                    yield self._reader.feed(block)
                elif len(head := head + block) >= HEAD and (_says(head) or len(head) > BLANK):
                    self._reader = _reader(self.path, self.name, head)
                    yield self._reader.feed(head)
        if self._reader is None and _says(head):
            self._reader = _reader(self.path, self.name, head)
            yield self._reader.feed(head)
        if self._reader is None:
            raise UsageError(
                f"{self.name} is empty: its first line must name the columns, image_url among them"
            )
        yield self._reader.finish()


def name_of(path: str) -> str:
    """What messages call it."""
    return "standard input" if path == "-" else path


def _says(head: bytes) -> bool:
    """Whether a file that begins so says anything yet."""
    return bool(head.removeprefix(BOM).strip())


def size_of(path: str) -> int:
    """The bytes of a file; 0 where there is none, or nobody can tell beforehand."""
    try:
        # what cannot be a path raises ValueError
        return os.stat(path).st_size if path != "-" else 0  # noqa: PTH116
    except (OSError, ValueError):
        return 0


def _words(error: Exception) -> str:
    """What the system says, without its number and its path."""
    return str(getattr(error, "strerror", None) or error)


def is_pipe(path: str) -> bool:
    """Whether what is there can be read only once, as a shell's ``<(…)`` can."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 (as above)
    except (OSError, ValueError):  # nothing is there, nor can be: what opens it says so
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def misfit(head: bytes) -> str:
    """What a file is that begins so, where that can be no manifest, packed or not; else empty."""
    return "" if head.startswith(_GZIP) else instead(head)


def entries(path: str | Path) -> Manifest:
    """The rows and problems at ``path`` (``-``: standard input), to be read with ``async for chunk in``."""
    return Manifest(path)


def _reader(path: str, name: str, head: bytes) -> Reader:
    """The reader for a file that begins with ``head``: by its name, else by its first character."""
    if what := instead(head):
        raise UsageError(f"{name} is {what}{_recoded(path) if what.endswith(TO_UTF8) else ''}")
    first = head.removeprefix(BOM).lstrip()[:1]
    made = _READERS.get(Path(path.lower().removesuffix(".gz")).suffix)
    if first == b"[" and made is not CsvReader:
        raise UsageError(f"{name} is one JSON list: put one object on a line, for example with jq -c '.[]'")
    return (made or (JsonlReader if first == b"{" else CsvReader))()


def _recoded(path: str) -> str:
    """The rest of a command that writes a file in UTF-8: what to read, and a name that nothing has;
    empty for a stream.
    """
    if path == "-" or path.lower().endswith(".gz") or is_pipe(path):
        return ""
    return f" {typed(path)} > {typed(free(Path(path)))}"


async def _plain(path: str, name: str, tally: Tally) -> AsyncGenerator[bytes, None]:
    """The blocks of a file, unpacked where it begins as gzip does."""
    gunzip = None
    first = True
    async with aclosing(blocks(path, name)) as there:
        async for block in there:
            tally.done += len(block)
            if first and block.startswith(_GZIP):
                gunzip = _Gunzip(name)
            elif first and path.lower().endswith(".gz"):
                raise UsageError(f"{name} is not gzip, although its name says so: rename it")
            first = False
            for piece in gunzip.feed(block) if gunzip else (block,):
                yield piece
    if gunzip:
        yield gunzip.finish()


async def blocks(path: str, name: str) -> AsyncGenerator[bytes, None]:
    """The blocks of a file as they are; errors of the system become sentences."""
    try:
        if path == "-":
            while block := await aiofiles.stdin_bytes.read(BLOCK):
                yield block
            return
        async with _opened(path) as file:
            while block := await file.read(BLOCK):
                yield block
    except FileNotFoundError:
        raise UsageError(
            f"there is no file {name}: give the path of a manifest, or - for standard input"
        ) from None
    except IsADirectoryError:
        raise UsageError(f"{name} is a directory: give the path of a manifest in it") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{name} cannot be read ({_words(error)}): give a file that can") from None


@asynccontextmanager
async def _opened(path: str) -> AsyncGenerator[AsyncBufferedReader, None]:
    """A file to be read, closed when this is left, however often that is cancelled.

    But a pipe, which is opened, and closed, when something comes: for that nobody waits for long.
    """
    there, patient = list[AsyncBufferedReader](), not is_pipe(path)

    async def come() -> None:
        there.append(await aiofiles.open(path, "rb"))

    try:
        await (to_end(come()) if patient else come())
        yield there[0]
    finally:
        for file in there:
            await to_end(file.close() if patient else _closed_soon(file))


async def _closed_soon(file: AsyncBufferedReader) -> None:
    await asyncio.wait([asyncio.ensure_future(file.close())], timeout=LONGEST_CLOSE)


class _Gunzip:
    """Unpacks gzip in pieces of at most `BLOCK` bytes, however far a block expands."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._member = zlib.decompressobj(31)

    def feed(self, block: bytes) -> Iterator[bytes]:
        """Unpack one block; a file may hold several members, and zeros after the last."""
        while block:
            if self._member.eof:
                if not (block := block.lstrip(b"\0")):
                    return
                self._member = zlib.decompressobj(31)
            try:
                yield self._member.decompress(block, BLOCK)
            except zlib.error as error:
                raise UsageError(f"{self._name} is damaged ({error}): pack it anew") from None
            block = self._member.unconsumed_tail or self._member.unused_data

    def finish(self) -> bytes:
        """Unpack what zlib still holds; the file must end where its last member does."""
        rest = self._member.flush()
        if not self._member.eof:
            raise UsageError(f"{self._name} ends in the middle of its gzip stream: copy or download it again")
        return rest
