"""JSON in which no key stands twice.

A repeated key is legal JSON whose meaning nobody knows: parsers keep the first, the last or both. In a
manifest it is a slip that could be paid for, so it is refused.
"""

import json

from mwbatch.core.codec.json_codec import BadJson, Json, decode


def decode_strictly(raw: bytes) -> Json:
    """Read one JSON value as `mwbatch.core.codec.json_codec.decode` does.

    Raises:
        BadJson: whatever `decode` refuses, and an object that has a key twice.
    """
    value = decode(raw)
    if b"\\" in raw or raw.count(b'"') != 2 * _strings(value):
        json.loads(raw, object_pairs_hook=_once)
    return value


def _strings(value: Json) -> int:
    """How many strings, keys included, a value holds: where no quote is escaped,
    a repeated key shows as one more.
    """
    if isinstance(value, str):
        return 1
    if isinstance(value, dict):
        return len(value) + sum(map(_strings, value.values()))
    return sum(map(_strings, value)) if isinstance(value, list) else 0


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for key, value in pairs:
        if key in found:
            raise BadJson(f"the key {key!r} stands twice")
        found[key] = value
    return found
