"""Whether callbacks can be taken now, and if not, why."""

from enum import StrEnum


class Hindrance(StrEnum):
    """Why no callback can be taken: a closed set, read by machines."""

    STARTING = "starting"
    """The journals are being read, and nobody listens yet."""
    POISONED = "poisoned"
    """A disk failed for good: only another process can go on."""
    DISK_FULL = "disk_full"
    """It goes on by itself, once there is space."""
    HOME_GONE = "home_gone"
    """The data folder is not there, or is an empty one in its place; it goes on by itself, once it is back."""
    SHUTTING_DOWN = "shutting_down"
    """What is in flight is still answered."""
