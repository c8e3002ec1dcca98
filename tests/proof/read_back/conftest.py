"""These tests live in an environment of their own: `make test-exports`.

Elsewhere their libraries are not there.
"""

from importlib.util import find_spec

if find_spec("pycocotools") is None:
    collect_ignore_glob = ["test_*.py"]
