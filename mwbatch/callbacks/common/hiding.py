"""Keeps callback addresses out of the logs of an application in which the receiver is mounted."""

import logging
from collections.abc import Mapping

from mwbatch.core.api.address import masked


class HideAddresses(logging.Filter):
    """Hides the secret end of every callback address in what passes; no record is ever left out.

    For a logger, ``logging.getLogger("aiohttp.access").addFilter(mwbatch.HideAddresses())``, or for a
    handler through which all others write.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Hide them in the message, in what it is made of, in what came along, and in a traceback."""
        for name, value in [*record.__dict__.items()]:
            if name != "exc_info":
                record.__dict__[name] = _hidden(value)
        said = record.getMessage()
        if (shown := masked(said)) != said:  # put together of parts that are none by themselves
            record.msg, record.args = shown, ()
        if record.exc_info and not record.exc_text:
            record.exc_text = masked(logging.Formatter().formatException(record.exc_info))
        return True


def _hidden(value: object) -> object:
    """The same value where nothing is in it."""
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, bytes | BaseException):
        said = str(value)
        return value if masked(said) == said else masked(said)
    if type(value) is tuple:
        return tuple(map(_hidden, value))
    if isinstance(value, Mapping):
        return {name: _hidden(one) for name, one in value.items()}
    return value
