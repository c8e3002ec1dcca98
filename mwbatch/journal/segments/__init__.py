"""The facts of one batch in its folder: segments, their writer, their readers."""
