"""What commands came to, in words."""

from dataclasses import replace

from mwbatch.core.report.command_outcomes import Comparison, Proof
from mwbatch.views.outcomes import compared, proved


def test_the_proof_says_what_it_rests_on() -> None:
    """How often was paid twice, by how many tasks and when, and how many of those known are among them;
    or why not.
    """
    proof = Proof(2, 12_345, "T", covers=1_200, known=1_200)
    told = "paid twice: 2, by a listing of 12,345 tasks at T, which covers 1,200 of 1,200 known tasks"
    assert proved(proof) == told
    assert proved(replace(proof, at=None)) == told.replace(" at T", "")
    unproved = Proof(reasons=("a", "b"), covers=3, known=7)
    assert proved(unproved) == "paid twice: cannot be told, a; b; the listing covers 3 of 7 known tasks"


def test_a_comparison_is_one_sentence() -> None:
    """What the file has more, less and otherwise; or that they are the same."""
    assert compared(Comparison("m.csv", 0, 0, 0)) == "m.csv and the batch have the same rows"
    different = Comparison("m.csv", 1, 2_000, 3)
    assert (
        compared(different)
        == "m.csv has 1 row that the batch lacks, lacks 2,000 that the batch has, and has changed 3"
    )
