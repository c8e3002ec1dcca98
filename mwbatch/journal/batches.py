"""The batches of a home, each by itself: one that cannot be used stops none of the others."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from mwbatch.errors import StoreError
from mwbatch.journal.card import Card
from mwbatch.journal.home import Home

Made = TypeVar("Made")
"""What is made of a batch."""


def each(home: Home, make: Callable[[Path, Card], Made]) -> Iterator[tuple[Path, Made | StoreError]]:
    """What ``make`` makes of each batch, by folder; where it cannot be used, why. Blocks.

    Set aside are a card that cannot be read, facts whose card is gone, whatever ``make`` raises `StoreError` for, and
    two folders that are the same batch: nobody can tell which of them is meant.

    Raises:
        StoreError: the home cannot be looked into.
    """
    there = list(home.looked())
    folders = defaultdict[str, list[Path]](list)
    for folder, card in there:
        if isinstance(card, Card):
            folders[card.batch_id].append(folder)
    for folder, card in there:
        yield (
            folder,
            card if isinstance(card, StoreError) else _made(folder, card, folders[card.batch_id], make),
        )


def _made(
    folder: Path, card: Card, same: list[Path], make: Callable[[Path, Card], Made]
) -> Made | StoreError:
    if others := [str(other) for other in same if other != folder]:
        return StoreError(
            f"{folder} is the same batch as {', '.join(others)}; move the copy out of {folder.parent}"
        )
    try:
        return make(folder, card)
    except StoreError as error:
        return error


def card_of(_: Path, card: Card) -> Card:
    """Make no more of a batch than its card."""
    return card
