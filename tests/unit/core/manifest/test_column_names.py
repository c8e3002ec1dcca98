"""Other spellings of the names of columns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.manifest.column_names import ID_NAMES, KNOWN, LONGEST, guess, meant, misnamed

OTHERS = {
    "Instruction": "instruction",
    "INSTRUCTIONS": "instruction",
    "Annotation_Option": "annotation_option",
    "annotation options": "annotation_option",
    "annotationOptions": "annotation_option",
    "annotations-options": "annotation_option",
    "Tags": "tags",
    "tag": "tags",
    "\u200btags": "tags",
    "\ufefftags\u00ad": "tags",
    "ta\u3164gs\uffa0": "tags",
    "\uff54\uff41\uff47\uff53": "tags",
    "ID": "id",
    "_id": "id",
    "Ids": "id",
    "customId": "custom_id",
    "UNIQUE-ID": "unique_id",
    "global key": "global_key",
    "Type": "type",
    "imageURL": "image_url",
    "image urls": "image_url",
    "ObjectsToTag": "objects_to_tag",
    "object_to_tags": "objects_to_tag",
}


@pytest.mark.parametrize(("name", "known"), OTHERS.items())
def test_other_spellings(name: str, known: str) -> None:
    """Case, blanks, marks, plural, full width and what nobody sees do not make another name of it."""
    assert meant(name) == known


@pytest.mark.parametrize(
    "name",
    [
        *KNOWN,
        "",
        "-",
        "tags2",
        "image_id",
        "label",
        "options",
        "stage",
        "typed",
        "kid",
        "画像id",
        "x" * 10_000,
    ],
)
def test_names_of_their_own(name: str) -> None:
    """A known name is no other spelling of itself, and a word that is merely like it is another word."""
    assert meant(name) is None


@given(
    st.sampled_from(KNOWN),
    st.lists(
        st.sampled_from(["", "_", "-", " ", "\u200b", "\ufeff", "\u3164", "\u2060"]), min_size=40, max_size=40
    ),
    st.lists(st.booleans(), min_size=40, max_size=40),
)
def test_however_it_is_dressed(known: str, between: list[str], upper: list[bool]) -> None:
    """Whatever invisible characters, blanks and capitals a known name gets, it is recognised."""
    letters = zip(known, between, upper, strict=False)
    dressed = "".join(gap + (letter.upper() if up else letter) for letter, gap, up in letters)
    assert dressed == known or len(dressed) > LONGEST or meant(dressed) == known


def test_only_what_is_missing() -> None:
    """Beside the known name another spelling is the user's own column; for an id any id column will do."""
    assert misnamed(["image_url", "Tags", "Type"]) == (("Tags", "tags"), ("Type", "type"))
    assert misnamed(["image_url", "Tags", "tags"]) == ()
    assert [misnamed(["ID", name]) for name in ID_NAMES] == [(), (), (), ()]
    assert misnamed(["ID", "UniqueId"]) == (("ID", "id"), ("UniqueId", "unique_id"))
    assert misnamed(["Image_URL"]) == ()


def test_guesses() -> None:
    """Where a column is missing, a name that says the same in another spelling or word is pointed at."""
    assert guess("image_url", ["note", "Image"]) == "Image"
    assert guess("annotation_option", ["Choices"]) == "Choices"
    assert guess("tags", ["TAGS"]) == "TAGS"
    assert guess("tags", ["label", "x" * 1000]) is None


def test_how_long_a_name_is_looked_at() -> None:
    """A name of `LONGEST` characters is still understood, a longer one is a column of the user's."""
    for word, known in (("Tags", "tags"), ("Boxes", "tags")):
        longest = word + "_" * (LONGEST - len(word))
        assert guess(known, [longest]) == longest
        assert guess(known, [longest + "_"]) is None
