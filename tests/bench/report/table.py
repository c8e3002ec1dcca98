"""The table: one line a contender, ratios beside the measure of its case,
and the change against what was kept.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from mwbatch.core.codec.json_codec import Json
from tests.bench.report.figures import Figure
from tests.bench.report.ratios import change

HEAD: Final = (
    f"{'contender':42} {'per second':>10} {'ratio':>6} {'goal':>5} {'CPU µs':>7} {'ratio':>6} "
    f"{'change':>7}  beside"
)
SHOWN: Final = 0.005
"""A change below this is none."""


def lines(figures: Sequence[Figure], before: Mapping[str, Json]) -> Iterator[str]:
    """The whole table."""
    yield HEAD
    case = ""
    for one in figures:
        if one.case != case:
            case = one.case
            yield f"-- {one.section}, {one.case}"
        yield _line(one, change(one, before))


def _line(one: Figure, changed: float | None) -> str:
    goal = f"{one.goal:.2f}" if one.goal is not None else ""
    cpu = f"{one.cpu_each:7.0f} {one.cpu_ratio:6.2f}" if one.cpu_each and one.cpu_ratio else " " * 14
    moved = f"{changed:+7.0%}" if changed is not None and abs(changed) >= SHOWN else " " * 7
    beside = ", ".join(f"{name} {value:.3g}" for name, value in one.extra.items())
    rates = f"{one.contender:42} {one.per_second:10,.0f} {one.ratio:6.2f} {goal:>5}"
    return f"{rates} {cpu} {moved}  {beside}".rstrip()
