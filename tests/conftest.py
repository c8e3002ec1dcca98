"""What every test shares: one profile for the properties, the same on every machine."""

from hypothesis import settings

settings.register_profile("mwbatch", derandomize=True, deadline=None, max_examples=100)
settings.load_profile("mwbatch")
