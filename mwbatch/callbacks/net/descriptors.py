"""File descriptors: how many connections fit under this process's limit,
raised as far as the system allows.
"""

import resource
from contextlib import suppress
from typing import Final

PLENTY: Final = 65_536
"""As many as are ever asked for: connections in a handshake, and segments of many batches, need some too."""


def fitting(wanted: int) -> int:
    """How many of ``wanted`` connections fit; half of all descriptors are left for files and handshakes.

    The soft limit is 1,024 on most systems, for programs that use select(2); event loops do not, and raise it
    as Go's runtime does (os/rlimit.go).
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = PLENTY if hard == resource.RLIM_INFINITY else min(hard, PLENTY)
    if soft != resource.RLIM_INFINITY and soft < most:
        with suppress(
            OSError, ValueError
        ):  # some systems allow less than they say: what there was is what there is
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return wanted if soft == resource.RLIM_INFINITY else min(wanted, soft // 2)
