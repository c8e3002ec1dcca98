"""One fuzzer in a process of its own: ``python -m tests.proof.fuzz.child TARGET PROGRAM`` and its own.

``PROGRAM`` is an executable that begins this one anew: libFuzzer calls it to minimise a corpus.
"""

import sys
import warnings

import atheris

WATCHED = [
    "mwbatch.core",
    "mwbatch.callbacks",
    "mwbatch.journal",
    "mwbatch.commands.manifest.manifests",
    "tests.proof.fuzz.oracle",
]
"""The modules in which every branch that an input takes first is news to the fuzzer."""


def main(name: str, program: str, options: list[str]) -> None:
    """Fuzz one target until libFuzzer ends the process: 77 after a find."""
    warnings.simplefilter("error")
    with atheris.instrument_imports(include=WATCHED):
        from tests.proof.fuzz.target import load  # noqa: PLC0415 (what is imported here is watched)

        target = load(name)
    atheris.Setup([program, f"-max_len={target.longest}", *options], target.one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
