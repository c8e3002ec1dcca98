"""The terminal: the standard streams, lines that fold, progress, a report in words."""
