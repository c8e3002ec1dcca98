"""File names: the id where it is safe and unique everywhere, else the row's number;
no two are ever the same.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwbatch.export.names import Names, is_safe, suffix


def named(*ids: str) -> list[str]:
    """The names of rows with these ids."""
    names = Names()
    for row, one in enumerate(ids):
        names.take(row, one)
    return [names.name(row, one) for row, one in enumerate(ids)]


@pytest.mark.parametrize(
    "one",
    [
        "", ".", "..", "../../etc/passwd", "a/b", "a\\b", "a b", ".hidden", "-rf", "a.", "a:b", "con",
        "NUL.txt", "lpt9",
        "\u00e9", "\u65e5\u672c", "a\nb", "=1+1", "x" * 101, "a\x00", "<b>",
    ],
)  # fmt: skip
def test_what_is_not_safe(one: str) -> None:
    """What some file system, shell or spreadsheet would trip over becomes the row's number."""
    assert not is_safe(one)
    assert named("first", one) == ["first", "0000001"]


def test_what_is_safe() -> None:
    """Plain ids stay as they are."""
    ids = ["shot-0001", "a.b_c", "7", "12345678", "x" * 100, "console", "a.jpg"]
    assert named(*ids) == ids


def test_a_thousand_ids_keep_their_names() -> None:
    """Many ids that are safe and differ are all names, whatever they are hashed to."""
    ids = [f"shot-{number * 7919 % 100_003:05d}" for number in range(1000)]
    assert named(*ids) == ids


def test_case_does_not_tell_files_apart() -> None:
    """Two ids that differ in case alone would be one file on some systems: both become numbers."""
    assert named("Logo", "other", "logo") == ["0000000", "other", "0000002"]


def test_an_id_that_is_the_number_of_another_row() -> None:
    """An id that looks like another row's number gives way; one that is its own number stays the same."""
    assert named("a/b", "0000000", "0000002") == ["0000000", "0000001", "0000002"]


@given(
    st.lists(
        st.text("aA0./", min_size=1, max_size=3) | st.integers(0, 9).map("{:07d}".format),
        unique=True,
        max_size=9,
    )
)
def test_no_two_are_the_same(ids: list[str]) -> None:
    """Whatever the ids: the names differ, in lower case too, and each is safe."""
    names = named(*ids)
    assert len({name.lower() for name in names}) == len(ids)
    assert all(map(is_safe, names))


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://a.example/x.PNG?size=1#.gif", ".png"),
        ("https://a.example/x.jpeg", ".jpeg"),
        ("https://a.example/x.php?file=y.png", ".jpg"),
        ("https://a.example", ".jpg"),
    ],
)
def test_suffixes(url: str, found: str) -> None:
    """The suffix is that of the address's path; where it is none of an image, `.jpg`."""
    assert suffix(url) == found
