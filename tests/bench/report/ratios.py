"""The ratios that are kept, so that a regression shows: ``tests/bench/report/ratios.json``."""

import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from mwbatch.core.codec.json_codec import Json, decode_object, encode, field, number, table
from tests.bench.report.figures import Figure

KEPT: Final = Path(__file__).with_name("ratios.json")


def machine() -> Json:
    """What the figures depend on, without naming anybody's machine."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
    }


def _processor() -> str:
    """The processor's name where Linux tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def kept(path: Path = KEPT) -> Mapping[str, Json]:
    """The kept ratios by the name of their figure; none where nothing was kept."""
    return field(decode_object(path.read_bytes()), "ratios", dict) if path.exists() else {}


def keep(figures: Sequence[Figure], path: Path = KEPT) -> None:
    """Keep these; what was not measured now stays as it was."""
    measured: dict[str, Json] = {
        one.name: {"ratio": round(one.ratio, 3), "cpu_ratio": one.cpu_ratio and round(one.cpu_ratio, 3)}
        for one in figures
    }
    ratios = {**kept(path), **measured}
    lines = ",\n".join(
        f"  {encode(name).decode()}: {encode(ratios[name]).decode()}" for name in sorted(ratios)
    )
    text = f'{{"machine": {encode(machine()).decode()},\n "ratios": {{\n{lines}\n}}}}\n'
    path.write_text(text, encoding="utf-8")


def change(one: Figure, before: Mapping[str, Json]) -> float | None:
    """How much the ratio has changed against the kept one: -0.1 is a tenth less; None where none was kept."""
    old = table(before, one.name)
    return one.ratio / number(old, "ratio") - 1 if old else None
