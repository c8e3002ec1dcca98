"""Which row has a task: as a dict would say it."""

from hypothesis import given
from hypothesis import strategies as st

from mwbatch.core.holders import Holders


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=2), st.integers(0, 5)), max_size=40))
def test_the_first_row_of_each_task_is_found(came: list[tuple[bytes, int]]) -> None:
    """The first row at which a task was shown has it, however often it is shown, and where."""
    first: dict[bytes, int] = {}
    holders = Holders(lambda row, task_id: first.get(task_id) == row)
    for task_id, row in came:
        assert holders.find(task_id) == first.get(task_id)
        assert holders.claim(task_id, row) == first.setdefault(task_id, row)
        assert holders.find(task_id) == first[task_id]


def test_many_are_found_again() -> None:
    """Thousands are told apart and found while the table grows; a task that nobody has is at no row."""
    ids = [b"task-%d" % number for number in range(5000)]
    holders = Holders(lambda row, task_id: ids[row] == task_id)
    assert [holders.claim(task_id, row) for row, task_id in enumerate(ids)] == list(range(5000))
    assert [holders.find(task_id) for task_id in ids] == list(range(5000))
    assert [holders.claim(task_id, 7) for task_id in ids] == list(range(5000))
    assert holders.find(b"of nobody") is None


def test_a_number_beyond_all_rows_is_not_kept() -> None:
    """A row's number that no entry can hold is passed over: its task is at no row."""
    holders = Holders(lambda _row, _task_id: False)
    assert holders.claim(b"a", 1 << 40) == 1 << 40
    assert holders.find(b"a") is None
