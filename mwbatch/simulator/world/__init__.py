"""The simulated API as a machine without input or output."""
