"""Text and bytes: the one JSON door, what is no text, times as they are written, names that are types."""
