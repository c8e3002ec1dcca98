"""What is said of callback keys."""

from dataclasses import fields

import pytest

from mwbatch.core.api.address import Key
from mwbatch.core.report.key_use import KeyLine, Retired, Rotated


@pytest.mark.parametrize("kind", [KeyLine, Rotated, Retired])
def test_a_key_is_named_and_never_shown(kind: type) -> None:
    """Whatever is said of a key names it, and has no place for its secret."""
    names = {field.name for field in fields(kind)}
    assert "kid" in names
    assert "secret" not in names
    assert not any(isinstance(field.type, type) and issubclass(field.type, Key) for field in fields(kind))
