"""Who creates tasks, other than mwbatch: each module a process, called with URL,
manifest and requests in flight.
"""

import csv
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

PATH = "/v1/task/images/tagging"
KEY = "bench_key"


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be created: where, which rows of a manifest, how many at a time."""

    url: str
    manifest: str
    in_flight: int

    @classmethod
    def asked(cls) -> Self:
        """What the command line says."""
        url, manifest, in_flight = sys.argv[1:]
        return cls(url, manifest, int(in_flight))

    def rows(self) -> Iterator[tuple[str, str]]:
        """The image and a callback address, unsigned, of each row."""
        with open(self.manifest, newline="", encoding="utf-8") as file:  # noqa: PTH123 (as people write it)
            for number, row in enumerate(csv.DictReader(file)):
                yield row["image_url"], f"https://labels.example.com/callbacks/{number}"
