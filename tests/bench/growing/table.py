"""From figures to a table: how each work grows, beside the yardstick and beside the figures kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from typing import Any, Final

from tests.bench.growing.processes import Taken

FIXED: Final = 120_000_000
"""Bytes that a process may take whatever it works on."""

HEAD: Final = (
    "work",
    "rows",
    "seconds",
    "CPU s",
    "peak MB",
    "B/row",
    "x loads",
    "exponent",
    "kept",
    "change",
)


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured: for each work and size what it took,
    for each work what it takes on next to no rows.
    """

    taken: Mapping[str, Mapping[int, Taken]]
    fixed: Mapping[str, Taken]
    loop: str

    def cpu(self, work: str, rows: int) -> float:
        """Processor seconds beyond what it takes to start."""
        return max(self.taken[work][rows].cpu - self.fixed[work].cpu, 1e-4)

    def ratio(self, work: str, rows: int) -> float:
        """To the loop of loads over the same files."""
        return self.cpu(work, rows) / self.cpu(self.loop, rows)

    def exponent(self, work: str) -> float | None:
        """The slope of a line through the logarithms of rows and of processor seconds;
        None for fewer than two sizes.
        """
        points = [(log(rows), log(self.cpu(work, rows))) for rows in self.taken[work]]
        if len(points) < 2:
            return None
        x, y = (sum(axis) / len(points) for axis in zip(*points, strict=True))
        slope: float = sum((a - x) * (b - y) for a, b in points) / sum((a - x) ** 2 for a, _ in points)
        return slope

    def json(self) -> dict[str, Any]:
        """All of it."""
        return {
            work: {
                "fixed": self.fixed[work].json(),
                "exponent": None if (slope := self.exponent(work)) is None else round(slope, 3),
                "rows": {
                    str(rows): taken.json() | {"loops": round(self.ratio(work, rows), 3)}
                    for rows, taken in sizes.items()
                },
            }
            for work, sizes in self.taken.items()
        }


def beyond(taken: Taken, rows: int) -> float:
    """Bytes a row beyond the fixed part."""
    return max(0.0, (taken.peak - FIXED) / rows)


def lines(figures: Figures, kept: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The table, a line for each work and size; the exponent stands in the line of the greatest."""
    found: list[tuple[str, ...]] = [HEAD]
    for work, sizes in figures.taken.items():
        slope = figures.exponent(work)
        for rows, taken in sizes.items():
            ratio = figures.ratio(work, rows)
            before = kept.get(work, {}).get("rows", {}).get(str(rows), {}).get("loops")
            found.append(
                (
                    work,
                    f"{rows:,}",
                    f"{taken.seconds:.2f}",
                    f"{taken.cpu:.2f}",
                    f"{taken.peak / 1e6:.0f}",
                    f"{beyond(taken, rows):.0f}",
                    f"{ratio:.2f}",
                    f"{slope:.2f}" if slope is not None and rows == max(sizes) else "",
                    f"{before:.2f}" if before else "",
                    f"{ratio / before - 1:+.0%}" if before else "",
                )
            )
    return found


def text(table: list[tuple[str, ...]]) -> str:
    """Aligned columns, the first to the left."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(
            [
                line[0].ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)),
            ]
        )
        for line in table
    )
