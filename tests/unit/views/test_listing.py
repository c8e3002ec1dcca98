"""Lists of what does not fit."""

from pathlib import Path
from typing import Any

import pytest

from mwbatch.core.api.unusable import Unusable
from mwbatch.core.codec.ids import Attempt, RowNumber
from mwbatch.journal.home.home import Home
from mwbatch.journal.interface.batch_info import BatchInfo
from mwbatch.journal.interface.open_batch import OpenBatch
from mwbatch.journal.segments.unusable_folder import UnusableFolder
from mwbatch.views.listing import rejected


def opened(tmp_path: Path, *bodies: bytes) -> OpenBatch:
    """A batch with rejects that were kept as they are."""
    home = Home(tmp_path)
    ref = home.create(BatchInfo("logos", "b234567890", "http://127.0.0.1:1", "/m.csv", "id", ()))
    shelf = UnusableFolder(Path(ref.where), "receiver", 10_000)
    for row, body in enumerate(bodies):
        shelf.append(
            Unusable(float(row), RowNumber(row), Attempt(1), "not_json", len(body), f"sha-{row}", False, body)
        )
    shelf.close()
    return home.open(ref)


def test_what_is_shown_of_a_reject(tmp_path: Path) -> None:
    """When, where, why, how much, which, and how it begins."""
    assert rejected(opened(tmp_path, b"{")).value == {
        "rejected_callbacks": [
            {
                "at": "1970-01-01T00:00:00.000Z",
                "row": 0,
                "attempt": 1,
                "reason": "not_json",
                "size": 1,
                "sha256": "sha-0",
                "begins": "{",
            }
        ]
    }


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"x" * 500, "x" * 80),
        (b"a\tb\r\n\x1b[2J\0\xff", "a\\tb\\r\\n\\x1b[2J\\x00\\xff"),
        ("\u202e\u00e9\u65e5".encode(), "\\u202e\u00e9\u65e5"),
        (b"/v1/k1/b234567890/7-1/" + b"ab" * 16, "/v1/k1/b234567890/7-1/***"),
    ],
)
def test_a_body_is_harmless(tmp_path: Path, body: bytes, shown: str) -> None:
    """The beginning of a body is one line of text that no terminal obeys,
    without a mac even where one was kept.
    """
    listing = rejected(opened(tmp_path, body))
    value: Any = listing.value
    assert value["rejected_callbacks"][0]["begins"] == shown
    assert len(listing.words.splitlines()) == 2


def test_no_rejects(tmp_path: Path) -> None:
    """Nothing to list is said."""
    listing = rejected(opened(tmp_path))
    assert (listing.words, listing.value) == ("no unusable callbacks", {"rejected_callbacks": []})
