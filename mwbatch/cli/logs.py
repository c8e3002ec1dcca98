"""Logging to standard error, as text or as JSON lines.

No line ever holds the API key or a callback address.
"""

import logging
from datetime import UTC, datetime

from mwbatch.library.settings.groups import LogFormat


def start_logging(form: LogFormat, *, verbose: bool) -> None:
    """Log warnings, or with ``verbose`` everything that is worth a line."""
    target = logging.StreamHandler()
    target.setFormatter(
        JsonLines()
        if form is LogFormat.JSON
        else TextLines("%(asctime)s %(levelname)s %(name)s: %(message)s")
    )
    root = logging.getLogger()
    root.handlers[:] = [target]
    root.setLevel(logging.INFO if verbose else logging.WARNING)


def told(sentence: str, level: int = logging.INFO) -> None:
    """Log words that are for people, whatever the level of the others."""
    logger = logging.getLogger("mwbatch.told")
    logger.setLevel(logging.INFO)
    logger.log(level, "%s", sentence)


class TextLines(logging.Formatter):
    """One line an event, with any mac that strayed into it hidden."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802
        """UTC, to the millisecond."""
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")

    def format(self, record: logging.LogRecord) -> str:
        """Write one line."""
        return _masked(super().format(record))


class JsonLines(logging.Formatter):
    """One JSON object an event: ``at`` (seconds since the epoch), ``level``, ``logger``, ``message``."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one line."""
        from mwbatch.core.codec.json_codec import encode

        message = record.getMessage()
        if record.exc_info:
            message += "\n" + self.formatException(record.exc_info)
        fields = {
            "at": record.created,
            "level": record.levelname,
            "logger": record.name,
            "message": _masked(message),
        }
        return encode(fields).decode()


def _masked(text: str) -> str:
    from mwbatch.core.api.address import masked

    return masked(text)
