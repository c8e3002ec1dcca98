"""A batch with everything in it that exports trip over, and what must come back of it."""

from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Final

from mwbatch.core.codec.json_codec import Json, number
from tests.unit.export.batches import OPTIONS, Drawn, sized, tag

ROWS: Final = 300
BRANDS: Final = (
    "Pepsi", "Zephyrine Cola", "\u00dcber \u201equoted\u201c", "\u65e5\u672c\u30ed\u30b4", "\U0001f600",
    "yes", "null", "~", "1e3", "007",
    "- a: b #c", '"; drop', "<b>&amp;</b>", "it's", "a\\b", "=1+1", "%s{0}", "tab\there", None, "",
)  # fmt: skip
IDS: Final = (
    "../../etc/passwd",
    "Logo",
    "logo",
    "\u65e5\u672c",
    "a b",
    "0000017",
    "con",
    ".x",
    "=1+1",
    "x.jpg",
)
Found = tuple[str, float, float, float, float]
"""Category, left, top, width, height."""


def drawn(seed: int) -> list[Drawn]:
    """The rows: tagging and annotating, many, few and no tags, completed and not."""
    random = Random(seed)
    return [_row(random, number) for number in range(ROWS)]


def expected(row: Drawn, least: float = 0.0) -> Counter[Found]:
    """What a format must give back of a row that has no boxes thinner than ``least``."""
    key = "brand" if row.sent is None else "label"
    return Counter(
        (
            str(one.get(key) or "unknown"),
            number(one, "left"),
            number(one, "top"),
            max(number(one, "width"), least),
            max(number(one, "height"), least),
        )
        for one in row.tags or ()
    )


def _row(random: Random, number: int) -> Drawn:
    width, height = random.randint(8, 120), random.randint(8, 120)
    tags = [_tag(random, place, width, height) for place in range(random.choice((0, 1, 1, 2, 7)))]
    columns: dict[str, Json] = sized(width, str(height), campaign=random.choice(BRANDS), row="theirs")
    return Drawn(
        IDS[number] if number < len(IDS) else f"shot-{number:04d}",
        tags if random.random() < 0.9 else None,
        columns,
        f"https://images.example.com/{number}.{random.choice(('jpg', 'PNG', 'webp', 'php?x=1'))}",
        sent=_sent(random, tags) if tags and number % 3 == 0 else None,
        answered=random.random() * 1000,
    )


def _tag(random: Random, place: int, width: int, height: int) -> dict[str, Json]:
    """A box within the image: at its edges, as large as it, thin, or between pixels."""
    left, top = (
        random.choice((0, random.randrange(width), random.random() * (width - 1))),
        random.randrange(height),
    )
    wide = random.choice((width - left, 1, (width - left) * random.uniform(0.1, 1)))
    high = random.choice((height - top, min(1, height - top), (height - top) * random.uniform(0.1, 1)))
    made: dict[str, Json] = tag(f"t{place}", left, top, min(wide, width - left), high)
    return made | {"brand": random.choice(BRANDS), "template_url": None}


def _sent(random: Random, tags: list[dict[str, Json]]) -> list[dict[str, Json]]:
    """The tags as they were sent: the answer adds a label and forgets the brand, which is lineage."""
    sent = [dict(one) for one in tags]
    for one in tags:
        del one["brand"], one["template_url"]
        one["label"] = random.choice((*OPTIONS, None))
    return sent


def completed(rows: list[Drawn]) -> Iterator[tuple[int, Drawn]]:
    """The rows that have an answer, by number."""
    return ((number, row) for number, row in enumerate(rows) if row.tags is not None)
