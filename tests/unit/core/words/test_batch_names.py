"""What a new batch may be called."""

import pytest

from mwbatch.core.words.batch_names import in_ascii, is_reserved, unreserved, wrong_with

TAKEN = ("inbox", "keys.json")


@pytest.mark.parametrize(
    "name", ["inbox", "INBOX", "Keys.JSON", "CON", "con", "nul.txt", "Lpt1.a.b", "com9", "logos.", "aux."]
)
def test_what_no_new_batch_is_called(name: str) -> None:
    """Names that the home or some system keeps, whatever their letter case,
    are refused with one that would do.
    """
    said = wrong_with(name, TAKEN, ())
    assert said.endswith(f"--batch {unreserved(name)}")
    assert not is_reserved(unreserved(name), TAKEN)


def test_letter_case_alone_tells_no_batches_apart() -> None:
    """A name that differs from one that is there in letter case alone is refused with another;
    its own is not.
    """
    assert wrong_with("Logos", TAKEN, ["x", "logos"]).endswith("--batch Logos-2")
    assert wrong_with("logos", TAKEN, ["x", "logos"]) == wrong_with("console.log", TAKEN, ["x"]) == ""


def test_letters_of_other_alphabets() -> None:
    """Latin letters lose their marks, or are written as people do without them;
    those of other scripts stay.
    """
    there = {
        "L\u00e4den": "Laeden",
        "La\u0308den": "Laeden",
        "\u00c9t\u00e9": "Ete",
        "\u5e972": "\u5e972",
        "a": "a",
    }
    assert {text: in_ascii(text) for text in there} == there
