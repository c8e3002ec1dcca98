"""What a test starts has a variable of ours, whatever environment the test gives it."""

import os
import subprocess
from functools import wraps
from typing import Any


def hand_down(name: str) -> None:
    """Let every process that is started from here on have a variable as it stands then."""
    start: Any = subprocess.Popen.__init__

    @wraps(start)
    def begun(self: Any, *words: Any, env: Any = None, **options: Any) -> None:
        there = {name: os.environ[name]} if name in os.environ else {}
        start(self, *words, env=env if env is None else there | dict(env), **options)

    subprocess.Popen.__init__ = begun  # type: ignore[method-assign]
