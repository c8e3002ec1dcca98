"""The probe, its words alone; that it goes through HTTP is proved with the receiver."""

import pytest

from mwbatch.core.api.address import Key, find
from mwbatch.core.api.receiver_probe import PROBE, answer, is_answer, probe_address, question
from mwbatch.core.codec.ids import Kid
from mwbatch.journal.interface.naming import new_batch_id

KEY = Key(Kid("k1"), b"0123456789abcdef")


def test_a_probe_goes_the_way_of_a_callback() -> None:
    """A probe's address is a signed address, under a batch id that no batch can have."""
    found = find(probe_address("https://example.com/hooks/", KEY))
    assert found is not None
    assert found.signed_by(KEY)
    assert len(found.batch) != len(new_batch_id())
    assert found.batch == PROBE


def test_the_answer_proves_that_the_question_arrived() -> None:
    """The answer to a probe is the answer to no other."""
    said = answer(question("n1"))
    assert said is not None
    assert is_answer(said, "n1")
    assert not is_answer(said, "n2")


@pytest.mark.parametrize(
    "raw", [b"", b"<html>", b"[]", b"{}", b'{"probe":"n1"}', b'{"mwbatch":1,"probe":"n1"}']
)
def test_others_do_not_answer(raw: bytes) -> None:
    """What else may answer on that port, an echo included, is not taken for a receiver."""
    assert not is_answer(raw, "n1")


@pytest.mark.parametrize("raw", [b"", b"{}", b'{"probe":1}', b'{"probe":null}', question("n" * 65)])
def test_no_probe(raw: bytes) -> None:
    """A probe's address takes nothing but a probe, and echoes no long text."""
    assert answer(raw) is None
