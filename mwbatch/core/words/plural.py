"""Counts in words, in the singular too."""


def rows(count: int) -> str:
    """``1 row``, ``1,000 rows``."""
    return counted(count, "row")


def counted(count: float, what: str) -> str:
    """``1 task``, ``1,000 tasks``: of whatever takes an s where there are several."""
    return f"{count:,.0f} {what}{'s' * (count != 1)}"
