"""Options become keywords where a program reads of them."""

import pytest

from mwbatch.core.words.keywords import in_python, keyword


@pytest.mark.parametrize(
    ("told", "read"),
    [
        ("leave out --only-new, or give --price", "leave out only_new=True, or give price="),
        ("name it with --batch NAME", "name it with batch=…"),
        ("or --callback-url none to poll", "or callback_url='none' to poll"),
        ("raise it: --max-cost 12.50, --max-tasks 3.", "raise it: max_cost=12.50, max_tasks=3."),
        ("--id and --ids-from, --for and --home", "ids= and ids=, most= and path="),
        (
            "first mwbatch reconcile ten --wait, then --force; see: mwbatch keys retire a --force",
            "first mwbatch reconcile ten --wait, then force=True; see: mwbatch keys retire a --force",
        ),
        (
            "\n  --only-new  # a\n  --again 5a --again b  # c",
            "\n  only_new=True  # a\n  again=['5a', 'b']  # c",
        ),
        ("give --callback-url (or MWBATCH_CALLBACK_URL) the URL", "give callback_url= the URL"),
        ("--again 5a", "again= 5a"),
        ("a -- b, --9 and nothing", "a -- b, --9 and nothing"),
    ],
)
def test_options_are_keywords(told: str, read: str) -> None:
    """What stands for an option becomes what a program writes; a whole command stays one to be typed."""
    assert in_python(told) == read


def test_a_keyword_is_named_as_its_option() -> None:
    """But for the hyphens."""
    assert (keyword("max-cost"), keyword("option")) == ("max_cost", "options")
