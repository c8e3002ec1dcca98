r"""Reading a manifest: blocks of bytes in, rows and problems out, line numbers kept.

A reader is fed blocks of any size, in order, and finished once. It never stops at a mistake: every problem of
every row is found in one pass. Lines end at ``\n`` (or ``\r\n``) alone, never at what else Unicode calls a
line.
"""

from collections.abc import Iterable, Iterator

from mwbatch.core.facts.digests import digest_id, request_digest
from mwbatch.core.manifest.csv_rows import CsvReader
from mwbatch.core.manifest.entry import Entry, Found, Problem, Type
from mwbatch.core.manifest.jsonl_rows import JsonlReader
from mwbatch.core.manifest.reader import Reader

__all__ = [
    "CsvReader",
    "Entry",
    "Found",
    "JsonlReader",
    "Problem",
    "Reader",
    "Type",
    "digest_id",
    "read_csv",
    "read_jsonl",
    "request_digest",
]


def read_csv(blocks: Iterable[bytes]) -> Iterator[Found]:
    """Read a whole CSV manifest from blocks of bytes."""
    return _read(CsvReader(), blocks)


def read_jsonl(blocks: Iterable[bytes]) -> Iterator[Found]:
    """Read a whole JSONL manifest from blocks of bytes."""
    return _read(JsonlReader(), blocks)


def _read(reader: Reader, blocks: Iterable[bytes]) -> Iterator[Found]:
    for block in blocks:
        yield from reader.feed(block)
    yield from reader.finish()
