"""The yardstick: nothing but `orjson.loads` over every line. ``python loads.py FILE …``."""

import sys

import orjson

for path in sys.argv[1:]:
    with open(path, "rb") as file:  # noqa: PTH123 (pathlib would be imported for nothing)
        for text in file:
            orjson.loads(text)
