"""The callback keys of a home: made once, rotated, retired, never lost."""
