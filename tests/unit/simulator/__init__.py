"""The stand-in's own laws."""
