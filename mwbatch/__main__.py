"""Where the program begins, also as ``python -m mwbatch``."""

import gc
import os
import signal

GARBAGE = (20_000, 20, 20)
"""When Python looks for cycles: an import and a request make many objects and hardly a cycle,
and looking costs a tenth.
"""


def main() -> None:
    """Import what is needed, and run the program.

    Ctrl-C meanwhile ends it without a trace; then the program hears it.
    """
    gc.set_threshold(*GARBAGE)
    if (heard := signal.getsignal(signal.SIGINT)) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    # it takes a tenth of a second, in which people change their minds
    from mwbatch import cli, errors  # noqa: PLC0415

    signal.signal(signal.SIGINT, heard)
    try:
        cli.main()
    except SystemExit as ended:
        if isinstance(ended.code, int) and ended.code in (errors.Exit.INTERRUPTED, errors.Exit.TERMINATED):
            # All is written and closed, and Python would wait for threads
            # that read what nobody wants any more.
            os._exit(ended.code)
        raise


if __name__ == "__main__":
    main()
