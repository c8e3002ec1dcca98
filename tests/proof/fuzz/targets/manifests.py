"""The manifest reader: any file, packed or not, in blocks of any size; what it takes can be planned,
sent and kept.
"""

import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

from mwbatch.commands.manifest.manifests import BLOCK, _Gunzip, _reader
from mwbatch.core.api.create_request import encode_create
from mwbatch.core.codec.ids import RowNumber
from mwbatch.core.codec.json_codec import encode
from mwbatch.core.facts import lines
from mwbatch.core.facts.kinds import Planned
from mwbatch.core.manifest.entry import Entry, Found, Problem, cells_of
from mwbatch.core.manifest.parsing import CsvReader, JsonlReader, digest_id, read_jsonl
from mwbatch.core.manifest.reader import Reader
from mwbatch.core.manifest.row_identity import Identity
from mwbatch.core.spending.scrutiny import Leave, Scrutiny
from mwbatch.core.urls.expiry import Clock
from mwbatch.errors import UsageError
from tests.proof.fuzz.shelf import unique
from tests.proof.fuzz.target import Target

NAMES: Final = ("m.csv", "m.jsonl", "-", "m.csv.gz", "m.txt")


def one(raw: bytes) -> None:
    """The first byte says in which way the rest is read, the second how long the blocks are."""
    how, size, text = raw[:1], 1 + raw[1] % 40 if len(raw) > 1 else 1, raw[2:]
    if how == b"j":
        read_whole(JsonlReader(), JsonlReader(), text, size)
    elif how == b"n":
        named(text, size)
    elif how == b"g":
        unpacked([text[n : n + size] for n in range(0, len(text), size)])
    elif how == b"p":
        packed(text, size)
    else:
        read_whole(CsvReader(), CsvReader(), text, size)


def read_whole(whole: Reader, piecemeal: Reader, text: bytes, size: int) -> None:
    """Blocks of any size give the same rows and problems, each with a line of the file."""
    found = [*whole.feed(text), *whole.finish()]
    assert found == [*_fed(piecemeal, _blocks(text, size))], "blocks of another size give other rows"
    assert piecemeal.id_column == whole.id_column
    last, before = text.count(b"\n") + 1, 0
    for item in found:
        assert before <= item.line <= last
        before = item.line
        assert isinstance(item, Problem) or usable(item)
    judged(whole.id_column, found)
    looked_at(whole, found)


def _blocks(text: bytes, size: int) -> Iterator[bytes]:
    return (text[n : n + size] for n in range(0, len(text), size))


def _fed(reader: Reader, blocks: Iterable[bytes]) -> Iterator[Found]:
    for block in blocks:
        yield from reader.feed(block)
    yield from reader.finish()


def usable(entry: Entry) -> bool:
    """A row that was taken can be written to disk, read again, and sent."""
    planned = Planned(1.0, RowNumber(0), entry.id, entry.line, entry.type, entry.request, entry.columns)
    assert lines.parse(lines.line(planned)[:-1]) == planned
    form = encode_create(entry.type, entry.request, "https://c.test/callbacks/v1/k/b/0-1/0")
    assert b"\n" not in form
    assert b"%00" not in form
    assert entry.given or entry.id == digest_id(entry.type, entry.request)
    assert entry.id == entry.id.strip() != ""
    return True


def judged(id_column: str | None, found: list[Found]) -> None:
    """Every row is told from every other, and what is wrong with one can be said in one line."""
    identity = Identity(id_column)
    for entry in found:
        if isinstance(entry, Problem):
            assert "\n" not in entry.text("m.csv")
            continue
        decision = identity.judge(entry)
        assert 0 <= decision.row <= len(identity)
        assert "\n" not in identity.problem(entry, decision).text("m.csv")


def looked_at(reader: Reader, found: list[Found]) -> None:
    """The second look says one line of each mistake,
    and the same where a row is handed in again as it was put aside.
    """
    scrutiny = Scrutiny(Leave())
    scrutiny.header, scrutiny.id_column = reader.header, reader.id_column or ""
    scrutiny.set_clock(Clock(datetime(2026, 1, 1, tzinfo=UTC), "a clock"))
    assert not scrutiny.needs_clock(found)
    entries = [one for one in found if isinstance(one, Entry)]
    suspects = scrutiny.suspects(entries)
    for place, entry in enumerate(entries):
        told = scrutiny.problems(entry)
        assert place in suspects or not told, "a row that is wrong is passed over"
        assert all("\n" not in problem.text("m.csv") for problem in told)
        (again,) = [*read_jsonl([encode(cells_of(entry, reader.id_column))])]
        assert isinstance(again, Entry), "a good row is a bad one when it is handed in again"
        assert _said(scrutiny.problems(again)) == _said(told), (
            "handed in again a row is told for something else"
        )
    assert "\n" not in scrutiny.composition({"tagging": 1, "annotating": 1})


def _said(problems: Iterable[Problem]) -> set[tuple[str | None, str]]:
    return {(problem.column, problem.message) for problem in problems}


def named(text: bytes, size: int) -> None:
    """A file of any name and content has a reader, or the user is told why not."""
    try:
        reader = _reader(NAMES[size % len(NAMES)], "m", text)
    except UsageError:
        return
    read_whole(reader, type(reader)(), text, size)


def unpacked(blocks: list[bytes]) -> bytes | None:
    """What gzip packed, or None where the user is told that it is damaged;
    never more than a block at a time.
    """
    gunzip = _Gunzip("m.csv.gz")
    pieces: list[bytes] = []
    try:
        for block in blocks:
            for piece in gunzip.feed(block):
                assert len(piece) <= BLOCK
                pieces.append(piece)
                assert len(pieces) < 1000
        return b"".join([*pieces, gunzip.finish()])
    except UsageError:
        return None


def packed(text: bytes, size: int) -> None:
    """What was packed comes out as it was; cut or with a bit flipped it does so or is refused."""
    pressed = zlib.compress(text, 1, 31)
    assert unpacked([*_blocks(pressed, size)]) == text
    assert unpacked([*_blocks(pressed * 2 + b"\0\0", size)]) == text * 2
    place = (len(text) * 31 + size) % len(pressed)
    assert unpacked([pressed[:place]]) in ((None,) if place else (None, b""))
    assert unpacked([pressed[:place] + bytes([pressed[place] ^ 4]) + pressed[place + 1 :]]) in (None, text)


_CSV: Final = (
    b"id,image_url,instruction,annotation_option,tags,note\n"
    b'"1","https://i.test/a.jpg?a=1,2",,,,"two\nlines, and ""a quote"""\r\n'
    b"a2,https://i.test/b.jpg,Is "
    b'it?,good|bad,"[{""left"":1,""top"":-2.5,""width"":1e2,""height"":4,""x"":0}]",\n'
    b"a3,https://i.test/b.jpg,Is "
    b'it?,"[""a"",""\\u00fc""]","[{""id"":7,""left"":1,""top"":2,""width"":3,""height"":4}]",\n'
)
_JSONL: Final = (
    b'{"id":"1","image_url":"https://i.test/a.jpg","more":{"a":[1,null]}}\n\n'
    b'{"id":2,"image_url":"https://i.test/b.jpg","instruction":"?","annotation_option":["a","b"],'
    b'"tags":[{"id":"x","left":1,"top":0,"width":6,"height":1.5}]}\r\n'
    b'{"id":"3","image_url":"https://i.test/c.jpg","type":"annotating","instruction":"?","annotation_option":"a|b",'
    b'"tags":"[{\\"left\\":1,\\"top\\":0,\\"width\\":6,\\"height\\":1}]"}'
)


def _seeds() -> list[bytes]:
    tags = b'"[{""id"":""\\ud83d"",""left"":1,""top"":2,""width"":3,""height"":4}]"'
    return [
        *(
            b"c" + bytes([size]) + text
            for size in (0, 7)
            for text in (_CSV, b"\xef\xbb\xbf" + _CSV, _CSV[20:])
        ),
        b"c\x05image_url\nhttps://i.test/1.jpg\n\nhttps://i.test/2.jpg\r\nhttp://u:p@i.test/\nftp://x\n",
        b'c\x05id;image_url\n"a\nb";x\n',
        b'c\x09id,image_url\n"open,https://i.test/1.jpg\nb,https://i.test/2.jpg\nc"d,x\n"e"f,x\n',
        b'c\x09id,image_url\na","\na","\na","\n',
        b"c\x01image_url,instruction,annotation_option,tags\nhttps://i.test/1.jpg,?,a," + tags + b"\n",
        b"c\x01ID,image_url,Tags,\xe2\x80\x8btype,Instruction,callback_url\nnan,https://i.test/1.jpg,[],x,None,\n",
        b"c\x01id,image_url\nnan,https://i.test/1.jpg?Signature=s&Key-Pair-Id=k&Expires=1700000000\n",
        b"c\x01id,image_url\n#N/A,https://i.test/1.jpg?sv=1&sig=s&se=2020-01-01&x-amz-expires=9&x-amz-date=20200101T000000Z\n",
        b'j\x05{"image_url":"https://i.test/1.jpg","Tags":1,"tags":null,"Type":"","type":"tagging"}\n{"annotationOptions":1}\n',
        b"c\x01id,image_url\n\xff,https://i.test/1.jpg\na\0b,https://i.test/2.jpg\n\xed\xa0\x80,x\n",
        *(b"j" + bytes([size]) + text for size in (0, 11) for text in (_JSONL, b"\xef\xbb\xbf" + _JSONL)),
        b'j\x03{"image_url":"https://i.test/1.jpg","a":"\\ud83d"}\n{"a":1,"a":2}\n[]\nnull\n{"id":1}\n',
        *(b"n" + bytes([size]) + text for size in range(5) for text in (_CSV[:120], _JSONL[:90])),
        *(
            b"n\0" + mark
            for mark in (b"PK\x03\x04", b"PAR1", b"[", b"\xff\xfea", b"a\0b\0", b"\x28\xb5\x2f\xfd")
        ),
        *(b"g" + bytes([size]) + zlib.compress(_CSV, 9, 31) for size in (3, 39)),
        b"g\x27" + zlib.compress(b"a" * 70_000, 9, 31),
        *(b"p" + bytes([size]) + text for size in (3, 17) for text in (b"", _CSV[:60])),
    ]


_DICTIONARY: Final = (
    *b"image_url id, custom_id instruction annotation_option tags type objects_to_tag mwbatch_error".split(),
    *b"Image_URL ID, customId Instructions annotationOption Tags Type objectsToTag mwbatch_batch "
    b"callback_url".split(),
    *b"nan undefined #N/A None yes,no ?Expires=1&Signature=s&Key-Pair-Id=k &se=2020-01-01&sig=s&sv=1".split(),
    *b'brands tagging annotating https://i.test/1.jpg http:// "" "," null 1e999 \\ud83d \\u0000'.split(),
    *b'{"image_url":"https://i.test/1.jpg"} {""left"":1,""top"":2,""width"":3,""height"":4}'.split(),
    *(b'\n"', b'"\n', b"\r\n", b"\xef\xbb\xbf", b"\xff", b"\0", b"\xe2\x80\xa8", b"\x1f\x8b\x08"),
)

TARGET: Final = Target("manifests", one, unique(_seeds()), _DICTIONARY, longest=900)
