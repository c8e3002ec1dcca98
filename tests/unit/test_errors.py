"""Errors as values."""

import pickle

import pytest

from mwbatch import errors

Kind = type[errors.MwbatchError]
WORDS: tuple[Kind, ...] = (
    errors.MwbatchError, errors.UsageError, errors.NameTaken, errors.OtherApi, errors.BatchBusy,
    errors.StoreError, errors.DiskFull, errors.Displaced, errors.Poisoned, errors.Shortfall,
    *errors.SHORTFALLS.values(),
)  # fmt: skip
"""Errors that hold a sentence and nothing else."""

ASKED: errors.Asked = {"rows": 1, "of": 2, "batches": [], "ways": ["mwbatch submit"]}
MADE = [
    errors.BadValue("rate", 0, "more would do"),
    errors.ManifestError(["a.csv:2: no", "a.csv:3: no"]),
    errors.AskedBefore("asked before", ASKED),
    *(
        kind("slow down", status=429, retry_after=2.5)
        for kind in (
            errors.ApiError, errors.Unsent, errors.Busy, errors.Refused, errors.Halted, errors.NotFound,
            errors.Unsure, errors.OtherTask,
        )
    ),
    *(kind("as it is") for kind in WORDS),
]  # fmt: skip


def kinds(kind: Kind = errors.MwbatchError) -> set[Kind]:
    """A class of errors with all below it."""
    return {kind}.union(*map(kinds, kind.__subclasses__()))


def test_every_class_is_tried() -> None:
    """No error is left out of what follows."""
    assert {kind for kind in kinds() if kind.__module__ == "mwbatch.errors"} == set(map(type, MADE))


@pytest.mark.parametrize("error", MADE, ids=lambda error: type(error).__name__)
def test_errors_can_be_pickled(error: errors.MwbatchError) -> None:
    """An error comes out of a pickle as it went in: its class, its words and its fields."""
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))
    assert again.exit_code is error.exit_code
