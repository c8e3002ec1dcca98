"""One fuzzer's job: its folder, its process, and what came of it."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path
from typing import Final

from tests.proof.fuzz.target import Target

_STAT: Final = re.compile(rb"stat::number_of_executed_units: *([0-9]+)")
_ROOT: Final = Path(__file__).parents[3]
_LONGEST_ONE: Final = 10
"""Seconds that one input may take before it is a find."""
_MEMORY_MB: Final = 1024


@dataclass(frozen=True, slots=True)
class Done:
    """What a fuzzer came to; ``cpu`` is in seconds, ``find`` the input that broke a law,
    ``words`` what was said of it.
    """

    target: str
    runs: int
    cpu: float
    inputs: tuple[bytes, ...]
    find: bytes | None
    words: str


class Job:
    """A fuzzer of one target, below a folder of its own."""

    def __init__(self, target: Target, folder: Path, inputs: Iterable[bytes]) -> None:
        self.target, self._folder = target, folder
        for name in ("new", "kept", "finds"):
            (folder / name).mkdir(parents=True)
        self._write("kept", inputs)
        (folder / "words").write_text("".join(f'"{_escaped(word)}"\n' for word in target.words))
        self._program = folder / "fuzzer"
        module = [sys.executable, "-m", "tests.proof.fuzz.child", target.name, str(self._program)]
        self._program.write_text(
            f'#!/bin/sh\ncd {shlex.quote(str(_ROOT))} && exec {shlex.join(module)} "$@"\n'
        )
        self._program.chmod(0o700)

    def fuzz(self, runs: int, seconds: int, seed: int) -> Done:
        """Run until ``runs`` executions, ``seconds``, or the first find."""
        options = [
            *(f"-runs={runs}", f"-max_total_time={seconds}", f"-seed={seed}", "-print_final_stats=1"),
            *(f"-dict={self._folder}/words", f"-artifact_prefix={self._folder}/finds/", "-len_control=20"),
            *(
                f"-timeout={_LONGEST_ONE}",
                f"-rss_limit_mb={_MEMORY_MB}",
                f"{self._folder}/new",
                f"{self._folder}/kept",
            ),
        ]
        code, cpu, said = self._run(options)
        stat = _STAT.search(said)
        finds = [path.read_bytes() for path in sorted((self._folder / "finds").iterdir())]
        find = finds[0] if finds else None
        words = "" if code == 0 else said[-6000:].decode("utf-8", "replace")
        return Done(self.target.name, int(stat[1]) if stat else 0, cpu, self._inputs("new"), find, words)

    def grown(self, inputs: Iterable[bytes]) -> tuple[bytes, ...]:
        """Those of the inputs that reach what none that the job began with, and no shorter one of them,
        reaches.
        """
        before = set(self._inputs("kept"))
        self._write("new", inputs)
        self._run(["-merge=1", f"{self._folder}/kept", f"{self._folder}/new"])
        return tuple(sorted(set(self._inputs("kept")) - before, key=lambda raw: (len(raw), raw)))

    def _run(self, options: list[str]) -> tuple[int, float, bytes]:
        """Run the fuzzer to its end: exit code, CPU seconds, what it said."""
        with (self._folder / "said").open("w+b") as said:
            process = subprocess.Popen(
                [self._program, *options],
                env=os.environ | {"TMPDIR": str(self._folder)},
                stdout=said,
                stderr=said,
                stdin=subprocess.DEVNULL,
            )
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            said.seek(0)
            return process.returncode, usage.ru_utime + usage.ru_stime, said.read()

    def _write(self, name: str, inputs: Iterable[bytes]) -> None:
        for raw in inputs:
            (self._folder / name / sha1(raw).hexdigest()).write_bytes(raw)

    def _inputs(self, name: str) -> tuple[bytes, ...]:
        return tuple(path.read_bytes() for path in sorted((self._folder / name).iterdir()))


def _escaped(word: bytes) -> str:
    """A word as libFuzzer's dictionaries write it."""
    return "".join(chr(c) if 32 <= c < 127 and c not in b'"\\' else f"\\x{c:02x}" for c in word)
